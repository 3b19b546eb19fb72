#include "core/heap/traces.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// No function has a longer frame: what is further away is no frame.
constexpr size_t kFrameBytesMax = size_t{1} << 20;

// What can be read in parts can be read as a whole.
constexpr uintptr_t kReadablePage = 4096;

// kRangesMax for one that is an arena's donation, of which there are no traces.
unsigned PlaceOfRange(const Region& region, const Range& range) {
  unsigned place = 0;
  while (place < Region::kRangesMax && region.range(place) != &range) ++place;
  return place;
}

}  // namespace

ALCOVE_COLD unsigned WalkFrames(const platform::Frame* frame, void** out,
                                unsigned max) {
  // The caller's own frame is there.
  uintptr_t page = AddressOf(frame) / kReadablePage;
  unsigned n = 0;
  for (;;) {
    if (frame->return_address == nullptr) return n;
    out[n++] = frame->return_address;
    const platform::Frame* const caller = frame->caller;
    const uintptr_t distance = AddressOf(caller) - AddressOf(frame);
    // Callers' frames lie above; what is below is astray, or another stack.
    if (n == max || distance == 0 || distance > kFrameBytesMax ||
        AddressOf(caller) % alignof(platform::Frame) != 0)
      return n;
    const uintptr_t last = AddressOf(caller + 1) - 1;
    if (AddressOf(caller) / kReadablePage != page ||
        last / kReadablePage != page) {
      if (!platform::IsReadable(caller) ||
          !platform::IsReadable(&caller->return_address))
        return n;
      page = last / kReadablePage;
    }
    frame = caller;
  }
}

void** Traces<true>::At(const Region& region, const Range& range, size_t unit,
                        size_t index) {
  if (Config::kBacktraceFrames == 0) return nullptr;  // and leave no code
  const unsigned place = PlaceOfRange(region, range);
  if (ALCOVE_UNLIKELY(place == Region::kRangesMax)) return nullptr;
  void** traces = of_range_[place].Load(Order::kAcquire);
  if (ALCOVE_UNLIKELY(traces == nullptr)) {
    const size_t bytes = Place(range.units().units(), 0) * sizeof(void*);
    traces = static_cast<void**>(
        platform::Map(RoundUp(bytes, platform::PageSize())));
    if (traces == nullptr) return nullptr;
    void** expected = nullptr;
    if (of_range_[place].CompareExchange(expected, traces, Order::kAcqRel)) {
      sizes_[place] = RoundUp(bytes, platform::PageSize());
      mapped_.FetchAdd(sizes_[place], Order::kRelaxed);
    } else {
      platform::Unmap(traces, RoundUp(bytes, platform::PageSize()));
      traces = expected;
    }
  }
  return traces + Place(unit, index);
}

ALCOVE_COLD void* const* Traces<true>::Find(const Region& region,
                                            const Range& range, size_t unit,
                                            size_t index) const {
  if (Config::kBacktraceFrames == 0) return nullptr;
  const unsigned place = PlaceOfRange(region, range);
  if (place == Region::kRangesMax) return nullptr;
  void** const traces = of_range_[place].Load(Order::kAcquire);
  return traces == nullptr ? nullptr : traces + Place(unit, index);
}

ALCOVE_COLD void Traces<true>::Release() {
  if (Config::kBacktraceFrames == 0) return;
  for (unsigned i = 0; i < Region::kRangesMax; ++i) {
    void** const traces = of_range_[i].Exchange(nullptr, Order::kRelaxed);
    if (traces != nullptr) platform::Unmap(traces, sizes_[i]);
  }
  mapped_.Store(0, Order::kRelaxed);
}

}  // namespace ALCOVE_CORE_NAMESPACE
