// Where those who make units dirty meet the thread that purges in the
// background, as the knob `background_purge` says. Purging on the free path is
// enough for a program that goes on; this is for one that falls silent.
//
// One word says all of it, and is what the thread sleeps on:
//
//   0               nothing is dirty that the thread has not seen to; it sleeps
//                   without end, and whoever changes the word wakes it
//   kDirt           units became dirty
//   kQuiet          the thread sleeps for the delay: if the word is the same
//                   afterwards, nobody made more units dirty
//   kQuiet | kDirt  somebody did; the thread finds it by itself
//
// So an instance in which nothing happens has a thread that never wakes up, and
// one that is busy makes no system call to wake it.
#ifndef ALCOVE_CORE_REGION_PURGER_H_
#define ALCOVE_CORE_REGION_PURGER_H_

#include "core/base/fork_generation.h"
#include "core/region/range.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

template <bool kOn>
class Purger;

// No state, and nothing to do.
template <>
class Purger<false> {
 public:
  constexpr explicit Purger(ForkGeneration*) {}
  void Note() {}
  bool wanted() const { return false; }
  bool BeginStart() { return false; }
  void FailStart() {}
  bool AwaitSilence() { return false; }
  bool AskToEnd() { return false; }
  void Reset() {}
  OpenRun* open_run() { return nullptr; }
};

template <>
class Purger<true> {
 public:
  constexpr explicit Purger(ForkGeneration* generation)
      : generation_(generation) {}

  // Says that units became dirty, after they did. It costs a system call, to
  // notice that this is a child of fork, where there is no thread.
  void Note() {
    const uint32_t before = word_.FetchOr(kDirt, Order::kAcqRel);
    if (process_.Load(Order::kAcquire) != generation_->Current()) {
      wanted_.Store(1, Order::kRelaxed);
    } else if (before == 0) {
      platform::Wake(word_.address());
    }
  }

  // Whether units became dirty in a process that has no thread for them.
  bool wanted() const { return wanted_.Load(Order::kRelaxed) != 0; }

  // Whether the caller has to start the thread: for one caller in a process.
  bool BeginStart() {
    wanted_.Store(0, Order::kRelaxed);
    generation_->Watch();  // for a child that has the same id
    const Process self = generation_->Current();
    Process before = process_.Load(Order::kAcquire);
    if (before == self || IsBeside(before, self)) return false;
    if (platform::Ticks() < not_before_ticks_.Load(Order::kRelaxed))
      return false;
    if (!process_.CompareExchange(before, self, Order::kAcqRel)) return false;
    // What a parent's thread was at, and what it meant to see to.
    Range::PutBack(&open_run_);
    uint32_t now = word_.Load(Order::kRelaxed);
    while (!word_.CompareExchange(now, now == 0 && before == 0 ? 0 : kDirt,
                                  Order::kAcqRel)) {
    }
    return true;
  }

  // There is no thread after all. The next try is not made at once, since a
  // failure costs about as much as a thread.
  void FailStart() {
    not_before_ticks_.Store(
        platform::Ticks() + kRetryMs * platform::kTicksPerMillisecondMin,
        Order::kRelaxed);
    process_.Store(0, Order::kRelease);
  }

  // For the thread: sleeps until units are dirty and nobody has made more so
  // for the delay. False: it has to end.
  bool AwaitSilence() {
    for (;;) {
      uint32_t now = word_.Load(Order::kAcquire);
      if ((now & kEnd) != 0) return false;
      if (now == 0) {
        platform::Wait(word_.address(), 0, platform::kForever);
        continue;
      }
      if (now != kQuiet && !word_.CompareExchange(now, kQuiet, Order::kAcqRel))
        continue;
      if (platform::Wait(word_.address(), kQuiet, Config::kPurgeDelayMs))
        continue;
      now = kQuiet;
      // Before the purge: what becomes dirty during it is news.
      if (word_.CompareExchange(now, 0, Order::kAcqRel)) return true;
    }
  }

  // Whether there is a thread in this process; it then ends soon.
  bool AskToEnd() {
    if (process_.Load(Order::kAcquire) != generation_->Current()) return false;
    word_.FetchOr(kEnd, Order::kAcqRel);
    platform::Wake(word_.address());
    return true;
  }

  // As constructed. There is no thread in this process.
  void Reset() {
    word_.Store(0, Order::kRelaxed);
    wanted_.Store(0, Order::kRelaxed);
    not_before_ticks_.Store(0, Order::kRelaxed);
    open_run_.Close();
    process_.Store(0, Order::kRelease);
  }

  // What the thread has out of reach.
  OpenRun* open_run() { return &open_run_; }

 private:
  // Whether a thread of that process is there in this memory: this is a child of
  // vfork, say, and that what it has out of reach is its own. Of one generation are
  // those who share a page that fork would have wiped.
  bool IsBeside(Process that, Process self) const {
    if (that == 0) return false;
    return generation_->watches() ? GenerationOf(that) == GenerationOf(self)
                                  : platform::SharesMemory(IdOf(that));
  }

  static constexpr uint32_t kDirt = 1;
  static constexpr uint32_t kQuiet = 2;
  static constexpr uint32_t kEnd = 4;
  static constexpr uint64_t kRetryMs = 1000;

  Atomic<uint32_t> word_;
  Atomic<Process> process_;  // the thread's; 0: there is none
  Atomic<uint32_t> wanted_;
  Atomic<uint64_t> not_before_ticks_;  // a thread is not started
  OpenRun open_run_;
  ForkGeneration* const generation_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_REGION_PURGER_H_
