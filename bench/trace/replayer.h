// Does what a trace says, with the process's malloc.
#ifndef BENCH_TRACE_REPLAYER_H_
#define BENCH_TRACE_REPLAYER_H_

#include <atomic>
#include <cstdint>

#include "bench/trace/mapped_array.h"
#include "bench/trace/trace.h"

namespace bench {

// A thread of the trace is a thread here. Each does its operations in the
// trace's order; one that takes a block waits until the block was made, and
// beyond that the threads run as they can.
//
// Blocks are written to when they are made, a word at the start, a byte a page
// and one at the end; the word is compared when they are taken. A program that
// was recorded touched its blocks too.
class Replayer {
 public:
  // `trace` must outlive this.
  explicit Replayer(const Trace& trace);

  // Replays the whole trace once and frees what is left. False if malloc failed
  // or a block did not hold what was written to it; why() says which.
  bool Run();

  const char* why() const { return why_.load(); }
  // What this needs for itself.
  size_t own_bytes() const;

 private:
  struct Slot {
    // Null before the block is made and after it was taken.
    std::atomic<char*> address;
    uint64_t size;
  };
  struct Worker {
    Replayer* replayer;
    unsigned thread;
  };

  static void* RunThread(void* worker);
  void RunOperations(unsigned thread);
  bool RunOperation(const Op& op);
  bool Make(const Op& op, char* block);
  char* Take(uint32_t block, uint64_t* size);
  bool Fail(const char* why);

  const Trace& trace_;
  MappedArray<Slot> slots_;
  // The operations of thread t are those from starts_[t] to starts_[t + 1].
  MappedArray<uint32_t> order_;
  uint32_t starts_[Trace::kThreadsMax + 1] = {};
  std::atomic<const char*> why_{nullptr};
};

}  // namespace bench

#endif  // BENCH_TRACE_REPLAYER_H_
