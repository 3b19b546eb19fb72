#include "examples/coexist/departure.h"

#include "absl/strings/str_cat.h"
#include "examples/coexist/heaps.h"

namespace coexist {

common::Departure ShutDown() {
  common::Departure all;
  all.clean = true;
  for (const Heap& heap : Heaps()) {
    if (heap.shutdown == nullptr) continue;
    const Figures had = heap.figures();
    const common::Departure one =
        common::ShutDown(heap.name,
                         {had.address_low, had.address_high, had.bytes_reserved,
                          had.bytes_metadata},
                         heap.shutdown, heap.owns);
    absl::StrAppend(&all.text, one.text);
    all.clean = all.clean && one.clean;
  }
  return all;
}

}  // namespace coexist
