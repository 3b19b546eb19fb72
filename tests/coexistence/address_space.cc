#include "tests/coexistence/address_space.h"

#include <algorithm>
#include <cstdlib>

namespace coexistence {

void Extents::Append(const Extent& extent) {
  if (extent.begin == extent.end) return;
  if (size_ != 0 && extents_[size_ - 1].end >= extent.begin) {
    extents_[size_ - 1].end = std::max(extents_[size_ - 1].end, extent.end);
    return;
  }
  if (size_ == extents_.size()) std::abort();
  extents_[size_++] = extent;
}

Extents Extents::Without(const Extents& other) const {
  Extents rest;
  for (Extent left : *this) {
    for (const Extent& hole : other) {
      if (!left.Overlaps(hole)) continue;
      rest.Append({left.begin, std::max(left.begin, hole.begin)});
      left.begin = std::min(left.end, hole.end);
    }
    rest.Append(left);
  }
  return rest;
}

bool Extents::Overlaps(const Extent& extent) const {
  return std::any_of(begin(), end(),
                     [&](const Extent& e) { return e.Overlaps(extent); });
}

bool Extents::Contains(const Extent& extent) const {
  return std::any_of(begin(), end(),
                     [&](const Extent& e) { return e.Contains(extent); });
}

size_t Extents::bytes() const {
  size_t sum = 0;
  for (const Extent& extent : *this) sum += extent.end - extent.begin;
  return sum;
}

bool Extents::operator==(const Extents& other) const {
  return std::equal(begin(), end(), other.begin(), other.end());
}

Extents AddressSpace::Mapped() const {
  Extents mapped;
  for (const isolation::Mapping& mapping : *this)
    mapped.Append({mapping.begin, mapping.end});
  return mapped;
}

bool AddressSpace::operator==(const AddressSpace& other) const {
  return std::equal(begin(), end(), other.begin(), other.end());
}

}  // namespace coexistence
