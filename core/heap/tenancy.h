// Who has a heap, and who may take it over.
//
// A heap changes hands by one compare-and-swap on a word: the id of the thread
// that has it, 0 for nobody, and above it how often it was taken, and above that
// the fork generation of the one who did. Three kinds are
// there to be taken by a new thread: one that was handed back (id 0); one with the
// new thread's own id, whose former thread must be gone, since ids are unique
// among the living; and one whose thread the kernel says is gone. While one thread
// asks about another, a new one can be born with the same id and take the heap;
// then the asker must not, and the count tells.
//
// Without system memory the kernel is not asked: ids are counted, and a thread that
// did not hand its heap back counts as alive.
//
// What the former thread did to the heap is there for the next one: where it was
// handed back, by this word; where the thread is gone, because the kernel was in
// between.
#ifndef ALCOVE_CORE_HEAP_TENANCY_H_
#define ALCOVE_CORE_HEAP_TENANCY_H_

#include "core/base/atomic.h"
#include "core/base/fork_generation.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

class Tenancy {
 public:
  // For a heap that nobody knows yet.
  void Begin(platform::ThreadId self, Process process) {
    word_.Store(Word(0, self, process), Order::kRelaxed);
    process_.Store(process, Order::kRelaxed);
  }

  // In which it was taken last.
  Process process() const { return process_.Load(Order::kAcquire); }

  // The thread that has it, 0 for none.
  platform::ThreadId thread() const {
    return static_cast<platform::ThreadId>(word_.Load(Order::kAcquire));
  }

  // Another number for each tenant, but for those of long ago.
  uint32_t turn() const {
    return static_cast<uint32_t>(word_.Load(Order::kAcquire) >> 32);
  }

  // What the thread that forked goes on with in the child becomes the child's.
  // Nobody else may take it before the caller says that the process is settled. The
  // word first: who found the former one cannot take it any more.
  void Renew(platform::ThreadId self, Process process) {
    const uint64_t before = word_.Load(Order::kRelaxed);
    word_.Store(Word(before, self, process), Order::kRelaxed);
    process_.Store(process, Order::kRelease);
  }

  // Takes it, if it is one of the three kinds, for the calling thread, which has
  // none. `may_be_alive(thread)` asks the kernel. `settled`: what is inherited is
  // there to be taken, too (ForkGeneration::settled).
  template <typename MayBeAlive>
  bool TakeOver(platform::ThreadId self, Process process,
                MayBeAlive may_be_alive, bool settled = false) {
    const uint64_t before = word_.Load(Order::kRelaxed);
    const auto thread = static_cast<platform::ThreadId>(before);
    if (thread != 0 && !(settled && IsAncestors(before, process))) {
      if (IsInherited(process)) return false;
      // It may be this thread's own, of another level; or, where the instance
      // counts its threads itself, the count has come round.
      if ((Config::kAsyncSignalSafe || !Config::kSystemMemory) &&
          thread == self) {
        return false;
      }
      if (thread != self && may_be_alive(thread)) return false;
    }
    return Take(before, self, process);
  }

  // The same for a thread that has another heap, or that does not look for one:
  // what has its id is its own then. *died: it was a thread's that is gone.
  template <typename MayBeAlive>
  bool TakeIfDead(platform::ThreadId self, Process process,
                  MayBeAlive may_be_alive, bool* died, bool settled = false) {
    const uint64_t before = word_.Load(Order::kRelaxed);
    const auto thread = static_cast<platform::ThreadId>(before);
    if (thread != 0 && !(settled && IsAncestors(before, process))) {
      if (thread == self || IsInherited(process)) return false;
      if (may_be_alive(thread)) return false;
    }
    *died = thread != 0;
    return Take(before, self, process);
  }

  // Takes one that bears the id of the calling thread, which has none.
  bool TakeFromNamesake(platform::ThreadId self, Process process) {
    const uint64_t before = word_.Load(Order::kRelaxed);
    if (static_cast<platform::ThreadId>(before) != self) return false;
    return !IsInherited(process) && Take(before, self, process);
  }

  // Hands it back.
  void Leave() { word_.FetchAnd(~uint64_t{0} << 32, Order::kRelease); }

  // Whether it was taken before this process was forked. Its thread's id is one
  // of the parent's then, and what the kernel says about it means nothing here:
  // the thread that forked goes on with its heap under another id.
  bool IsInherited(Process process) const { return this->process() != process; }

  // Whether that was an ancestor. (Another process that uses this memory is of the
  // same generation.)
  bool IsAncestors(Process process) const {
    return IsAncestors(word_.Load(Order::kRelaxed), process);
  }

  // Whether a living thread other than the caller says that it ends `what`.
  // `may_be_beside(thread)`: the same of a thread of another process that uses this
  // memory.
  template <typename MayBeAlive, typename MayBeBeside>
  bool Ends(uint64_t what, platform::ThreadId self, Process process,
            MayBeAlive may_be_alive, MayBeBeside may_be_beside) const {
    if (ending.Load(Order::kAcquire) != what) return false;
    const platform::ThreadId tenant = thread();
    if (tenant == 0 || tenant == self) return false;
    if (!IsInherited(process)) return may_be_alive(tenant);
    return !IsAncestors(process) && may_be_beside(tenant);
  }

 private:
  // Of a thread, after a word.
  static uint64_t Word(uint64_t before, platform::ThreadId self,
                       Process process) {
    const uint64_t count = ((before >> 32) + 1) & 0xffff;
    return uint64_t{GenerationOf(process)} << 48 | count << 32 | self;
  }
  // In the word, so that it is known of the same tenant that is then replaced. Of
  // generations that do not fit into it nothing is known.
  static bool IsAncestors(uint64_t word, Process process) {
    return GenerationOf(process) <= 0xffff &&
           word >> 48 < GenerationOf(process);
  }

  // False if somebody else did since the word was `before`.
  bool Take(uint64_t before, platform::ThreadId self, Process process) {
    const uint64_t taken = Word(before, self, process);
    if (!word_.CompareExchange(before, taken, Order::kAcquire)) return false;
    process_.Store(process, Order::kRelaxed);
    // Who waits for what the former tenant was ending goes on from there.
    ending.Store(0, Order::kRelease);
    return true;
  }

  Atomic<uint64_t> word_;
  Atomic<Process> process_;  // in which it was taken last

 public:
  // What the layer above has the thread end, or begin something in, if others may
  // wait for that; 0 is nothing, and so it is again when the heap changes hands.
  Atomic<uint64_t> ending;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_TENANCY_H_
