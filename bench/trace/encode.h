// Writes a trace.
#ifndef BENCH_TRACE_ENCODE_H_
#define BENCH_TRACE_ENCODE_H_

#include <cstdint>
#include <string>

#include "bench/trace/models.h"
#include "bench/trace/trace.h"

namespace bench {

// Each function adds one operation; those that make a block return its number.
// Threads must be numbered in the order of their first operation. Sizes and
// alignments are within Trace's bounds, blocks are live.
class Encoder {
 public:
  // At most so many blocks can be made.
  explicit Encoder(uint32_t blocks_max) : live_(blocks_max) {}

  bool full() const { return live_.full(); }
  size_t bytes() const { return body_.size(); }
  uint64_t operations() const { return operations_; }

  uint32_t Malloc(unsigned thread, uint64_t size);
  uint32_t Calloc(unsigned thread, uint64_t size);
  uint32_t Aligned(unsigned thread, unsigned alignment_log, uint64_t size);
  uint32_t Realloc(unsigned thread, uint32_t block, uint64_t size);
  void Free(unsigned thread, uint32_t block);

  // The whole file.
  std::string Finish() const;

 private:
  void Begin(unsigned thread);

  std::string body_;
  uint64_t operations_ = 0;
  unsigned thread_ = 0;
  LiveBlocks live_;
  RecentSizes recent_;
};

}  // namespace bench

#endif  // BENCH_TRACE_ENCODE_H_
