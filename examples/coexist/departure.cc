#include "examples/coexist/departure.h"

#include <cstring>

#include "absl/strings/str_format.h"
#include "examples/coexist/heaps.h"
#include "examples/coexist/maps.h"

namespace coexist {

namespace {

// Shuts one instance down. Its blocks lay between two addresses that are known;
// its metadata lay anywhere, but the address space of both must be gone.
bool ShutDown(const Heap& heap, std::string& text) {
  const Figures had = heap.figures();
  const size_t mappings = CountMappings(had.address_low, had.address_high);
  const size_t before = AddressSpace();
  const int error = heap.shutdown();
  const size_t gone = before - AddressSpace();
  if (error != 0) {
    absl::StrAppendFormat(&text, "  %-8s  does not shut down: %s\n", heap.name,
                          std::strerror(error));
    return false;
  }
  const size_t left = CountMappings(had.address_low, had.address_high);
  const size_t expected = had.bytes_reserved + had.bytes_metadata;
  // An instance that outgrew its first range has more of them, and anybody's
  // memory may lie between.
  const bool one_range =
      had.bytes_reserved == had.address_high - had.address_low;
  absl::StrAppendFormat(&text,
                        "  %-8s  mappings in its %s: %d, now %d; of its %d "
                        "KiB, %d are gone\n",
                        heap.name, one_range ? "range" : "ranges and between",
                        mappings, left, expected / 1024, gone / 1024);
  return mappings != 0 && (left == 0 || !one_range) && gone == expected &&
         !heap.owns(reinterpret_cast<void*>(had.address_low));
}

}  // namespace

Departure ShutDown() {
  Departure departure;
  departure.clean = true;
  for (const Heap& heap : Heaps()) {
    if (heap.shutdown != nullptr && !ShutDown(heap, departure.text))
      departure.clean = false;
  }
  return departure;
}

}  // namespace coexist
