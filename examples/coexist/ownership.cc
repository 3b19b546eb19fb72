#include "examples/coexist/ownership.h"

#include "examples/coexist/heaps.h"

namespace coexist {

void Ownership::Sample(Owner from, const void* address) {
  const auto row = static_cast<size_t>(from);
  for (size_t by = 0; by < Heaps().size(); ++by) {
    const auto owns = Heaps()[by].owns;
    if (owns != nullptr && owns(address)) ++owned_[row][by];
  }
  ++sampled_[row];
}

bool Ownership::Exclusive() const {
  for (int from = 0; from < kOwners; ++from) {
    for (int by = 0; by < kOwners; ++by) {
      const bool is_instance = Heaps()[by].owns != nullptr;
      if (owned_[from][by] != (is_instance && from == by ? sampled(from) : 0))
        return false;
    }
    if (sampled(from) == 0) return false;
  }
  return true;
}

}  // namespace coexist
