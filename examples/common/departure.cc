#include "examples/common/departure.h"

#include <cstring>

#include "absl/strings/str_format.h"
#include "examples/common/maps.h"

namespace common {

// Its blocks lay between two addresses that are known; its metadata lay
// anywhere, but the address space of both must be gone.
Departure ShutDown(const char* name, const Extent& had, int (*shutdown)(),
                   bool (*owns)(const void* address)) {
  Departure departure;
  const size_t mappings = CountMappings(had.address_low, had.address_high);
  const size_t before = AddressSpace();
  const int error = shutdown();
  const size_t gone = before - AddressSpace();
  if (error != 0) {
    departure.text = absl::StrFormat("  %-8s  does not shut down: %s\n", name,
                                     std::strerror(error));
    return departure;
  }
  const size_t left = CountMappings(had.address_low, had.address_high);
  const size_t expected = had.bytes_reserved + had.bytes_metadata;
  // An instance that outgrew its first range has more of them, and anybody's
  // memory may lie between.
  const bool one_range =
      had.bytes_reserved == had.address_high - had.address_low;
  departure.text = absl::StrFormat(
      "  %-8s  mappings in its %s: %d, now %d; of its %d KiB, %d are gone\n",
      name, one_range ? "range" : "ranges and between", mappings, left,
      expected / 1024, gone / 1024);
  departure.clean = mappings != 0 && (left == 0 || !one_range) &&
                    gone == expected &&
                    !owns(reinterpret_cast<void*>(had.address_low));
  return departure;
}

}  // namespace common
