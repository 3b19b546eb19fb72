// Which process of a family this is: a child of fork has all that its ancestors
// had in memory, and must not take their threads for its own.
//
// The process id alone does not tell: in a new pid namespace, or where ids have
// come round, a child can have the id of an ancestor. So a page is asked for that
// the system wipes in a child, and the first who finds it wiped writes how many
// forks it is away: the generation. Generations only grow from a parent to its
// child, so an ancestor's is never met again.
//
// As long as a process's first thread alone works on the instance there is no
// page, and it costs none: in a child of the same id it is either that thread
// which forked, whose thread id is then the same, too, or the former one is gone.
//
// The number is agreed on by one compare-and-swap on the page. What the last one
// was is kept beside it, and is written before anybody goes by a new one: whoever
// forks later has it.
#ifndef ALCOVE_CORE_BASE_FORK_GENERATION_H_
#define ALCOVE_CORE_BASE_FORK_GENERATION_H_

#include "core/base/atomic.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

// A process of a family: its id, and above it the generation. Never 0.
using Process = uint64_t;

constexpr platform::ProcessId IdOf(Process process) {
  return static_cast<platform::ProcessId>(process);
}

constexpr uint32_t GenerationOf(Process process) {
  return static_cast<uint32_t>(process >> 32);
}

class ForkGeneration {
 public:
  constexpr ForkGeneration() = default;

  // The calling process; costs a system call.
  // Without system memory nothing depends on it, and all are the same.
  Process Current() {
    if constexpr (!Config::kSystemMemory) return 1;
    return uint64_t{Generation()} << 32 | platform::CurrentProcess();
  }

  // Has children of fork told from this process even if their id is the same.
  // Without memory, or where the system wipes nothing, ids have to do.
  void Watch();

  // Gives the page back. Nobody goes by a generation any more.
  void Release();

  // Whether the threads that ancestors had when they forked are known to be gone, all
  // but the one that forked: once that has said that what it has is this process's.
  // True from the start where nobody has forked yet.
  bool settled() {
    return settled_.Load(Order::kAcquire) == MarkOf(Generation());
  }
  void Settle() { settled_.Store(MarkOf(Generation()), Order::kRelease); }

  bool watches() const { return page_.Load(Order::kRelaxed) != nullptr; }

  // The calling thread, for a word that says who is at something: its id, and above it
  // the generation, so that no child takes it for one of its own. Never 0.
  uint64_t Thread() {
    return uint64_t{Generation()} << 32 | platform::CurrentThread();
  }
  // Whether the one that a word names may be there still: in this process, or in
  // another one that uses this memory. False where the word is an ancestor's.
  bool MayBeThere(uint64_t thread);

  // Bytes mapped.
  size_t bytes() const;

  // `page`: null, or a word that is 0 in a new child of fork and never else. No
  // order is needed: an old value of either word is mended by the exchange, and a
  // child has at least what its parent's threads went by.
  uint32_t GenerationBy(Atomic<uint32_t>* page) {
    const uint32_t generation = last_.Load(Order::kRelaxed);
    if (page == nullptr) return generation;
    uint32_t mark = page->Load(Order::kRelaxed);
    if (mark == 0) {
      const uint32_t mine = MarkOf(generation + 1);
      // Another thread may have been faster.
      if (page->CompareExchange(mark, mine, Order::kRelaxed)) mark = mine;
    }
    const uint32_t marked = mark - MarkOf(0);
    // Never less: a signal handler can have forked since the first line.
    if (marked != generation) last_.RaiseTo(marked, Order::kRelaxed);
    return marked;
  }

 private:
  // The page says a generation by a number that is not 0.
  static constexpr uint32_t MarkOf(uint32_t generation) {
    return generation + 1;
  }
  uint32_t Generation() { return GenerationBy(page_.Load(Order::kAcquire)); }

  Atomic<Atomic<uint32_t>*> page_;
  Atomic<uint32_t> last_;                // in this process or an ancestor
  Atomic<uint32_t> settled_{MarkOf(0)};  // the last that was
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_BASE_FORK_GENERATION_H_
