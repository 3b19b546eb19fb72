#include "core/region/break.h"

#include "core/base/config.h"
#include "core/base/mem.h"
#include "core/region/break_patience.h"

namespace ALCOVE_CORE_NAMESPACE {

size_t Break::SizeAfter(unsigned halvings) {
  return RoundUp(Max(Config::kSbrkReserve >> halvings, 1),
                 platform::PageSize());
}

// Reserves the range, for the first who needs one.
ALCOVE_COLD bool Break::Begin(size_t least) {
  if (!Config::kSystemMemory) return false;
  for (unsigned halvings = 0; SizeAfter(halvings) >= least; ++halvings) {
    const size_t size = SizeAfter(halvings);
    void* const start = platform::Reserve(size, kAlignment);
    if (start == nullptr) {
      if (size == platform::PageSize()) return false;
      continue;
    }
    uintptr_t before = 0;
    if (!range_.CompareExchange(before, AddressOf(start) + halvings,
                                Order::kAcqRel))
      platform::Unmap(start, size);  // another thread was faster
    return true;
  }
  return false;
}

bool Break::CommitTo(uintptr_t range, size_t end) {
  const size_t committed = committed_.Load(Order::kAcquire);
  if (end <= committed) return true;
  // Two threads may both make the same pages accessible, which does no harm.
  const size_t generous =
      Min(RoundUp(end, Max(Config::kCommitChunk, platform::PageSize())),
          SizeOf(range));
  const size_t targets[] = {generous, RoundUp(end, platform::PageSize())};
  for (const size_t target : targets) {
    if (platform::Commit(StartOf(range) + committed, target - committed)) {
      committed_.RaiseTo(target, Order::kRelease);
      return true;
    }
  }
  return false;
}

// Waits until nobody shrinks. False if that takes too long.
ALCOVE_COLD bool Break::Await(uint64_t self, ForkGeneration* generation) {
  using break_patience::kYields;
  for (unsigned i = 1; i <= kYields * break_patience::kRounds; ++i) {
    uint64_t who = shrinker_.Load(Order::kAcquire);
    if (who == 0) return true;
    if (who == self) return false;  // a handler that interrupted it
    if (i % kYields == 0 && !generation->MayBeThere(who) &&
        shrinker_.CompareExchange(who, self, Order::kAcquire)) {
      // It may have died before it marked the end.
      end_.FetchOr(kShrinking, Order::kAcqRel);
      GiveBack();
      return true;
    }
    platform::Yield();
  }
  return false;
}

// Gives the memory between the end and what may hold some back to the system, and ends
// the shrinking. What is left of the end's page is made zero.
void Break::GiveBack() {
  const size_t end = bytes();
  const size_t dirty =
      RoundUp(dirty_.Load(Order::kRelaxed), platform::PageSize());
  if (dirty > end) {
    char* const start = StartOf(range_.Load(Order::kAcquire));
    const size_t page_end = RoundUp(end, platform::PageSize());
    memset(start + end, 0, page_end - end);
    if (dirty > page_end &&
        !platform::Purge(start + page_end, dirty - page_end))
      memset(start + page_end, 0, dirty - page_end);
    dirty_.Store(end, Order::kRelaxed);
  }
  end_.FetchAnd(~kShrinking, Order::kRelease);
  shrinker_.Store(0, Order::kRelease);
}

char* Break::Grow(size_t by, ForkGeneration* generation) {
  if (range_.Load(Order::kAcquire) == 0 && !Begin(Max(by, 1))) return nullptr;
  const uintptr_t range = range_.Load(Order::kAcquire);
  size_t end = end_.Load(Order::kAcquire);
  for (;;) {
    if ((end & kShrinking) != 0) {
      if (!Await(generation->Thread(), generation)) return nullptr;
      end = end_.Load(Order::kAcquire);
      continue;
    }
    if (by > SizeOf(range) - end || !CommitTo(range, end + by)) return nullptr;
    if (end_.CompareExchange(end, end + by, Order::kAcquire))
      return StartOf(range) + end;
  }
}

char* Break::Shrink(size_t by, ForkGeneration* generation) {
  if (range_.Load(Order::kAcquire) == 0) return nullptr;
  // So that no child takes this thread for one of its own.
  if (!generation->watches()) generation->Watch();
  const uint64_t self = generation->Thread();
  uint64_t nobody = 0;
  while (!shrinker_.CompareExchange(nobody, self, Order::kAcquire)) {
    if (!Await(self, generation)) return nullptr;
    nobody = 0;
  }
  size_t end = bytes();
  while (by <= end) {
    // Before the end moves: who succeeds this thread has to know; and who sees the mark,
    // that there is somebody who shrinks.
    dirty_.RaiseTo(end, Order::kRelaxed);
    if (!end_.CompareExchange(end, (end - by) | kShrinking, Order::kAcqRel))
      continue;
    GiveBack();
    return StartOf(range_.Load(Order::kRelaxed)) + end;
  }
  shrinker_.Store(0, Order::kRelease);
  return nullptr;
}

char* Break::Move(intptr_t n, ForkGeneration* generation) {
  return n >= 0 ? Grow(static_cast<size_t>(n), generation)
                : Shrink(size_t{0} - static_cast<size_t>(n), generation);
}

ALCOVE_COLD void Break::Release() {
  const uintptr_t range = range_.Exchange(0, Order::kAcqRel);
  if (range != 0) platform::Unmap(StartOf(range), SizeOf(range));
  end_.Store(0, Order::kRelaxed);
  committed_.Store(0, Order::kRelaxed);
  dirty_.Store(0, Order::kRelaxed);
  shrinker_.Store(0, Order::kRelaxed);
}

}  // namespace ALCOVE_CORE_NAMESPACE
