// Traces: what a program asked its malloc for, in order.
//
// The format is made to be small without a compressor. What is named is not the
// block but its rank: how many of the blocks that are live are newer. Most
// blocks die young, so most ranks are small; and most sizes were asked for just
// before. So most operations are one byte:
//
//   00..5f   malloc, of the size that is so far back in the list of the 96
//   sizes
//            asked for last, without repetition
//   60..df   free, of the block of rank 0 to 127
//   e0 n     malloc of n bytes
//   e1 r     free of the block of rank 128 + r
//   e2 n     calloc of n bytes
//   e3 r n   realloc of the block of rank r to n bytes
//   e4 a n   aligned_alloc of n bytes at a multiple of 2^a
//   e5 t     what follows is by thread t, until the next e5
//   e6       the end
//
// n, r, a and t are LEB128. The file begins with "ALCOVE T", the format's
// number (one byte) and the number of operations (LEB128; e5 and e6 do not
// count), and ends with the FNV-1a hash of all before it, 8 bytes, little
// endian.
#ifndef BENCH_TRACE_TRACE_H_
#define BENCH_TRACE_TRACE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/trace/mapped_array.h"

namespace bench {

enum class OpKind : uint8_t { kMalloc, kCalloc, kAligned, kRealloc, kFree };

// Blocks are numbered as they come; what realloc returns is a new one.
struct Op {
  static constexpr uint32_t kNone = UINT32_MAX;

  uint64_t size : 40;
  uint64_t kind : 8;       // an OpKind
  uint64_t thread : 8;     // 0 is the first that did anything
  uint64_t alignment : 8;  // its logarithm
  uint32_t takes;          // the block that is freed or reallocated, or kNone
  uint32_t makes;          // the block that comes of it, or kNone
};
static_assert(sizeof(Op) == 16);

struct Trace {
  static constexpr uint64_t kSizeMax = uint64_t{1} << 36;
  static constexpr unsigned kAlignmentLogMax = 30;
  static constexpr unsigned kThreadsMax = 256;

  MappedArray<Op> ops;
  uint32_t blocks = 0;
  unsigned threads = 0;
  uint32_t blocks_peak = 0;
  uint64_t bytes_peak = 0;
};

// On a file that is no trace or a damaged one: false, and a sentence in *error.
// Whatever it decodes to can be replayed: every block is made once before it is
// taken, at most once.
bool Decode(std::string_view file, Trace* trace, std::string* error);

// The hash that a trace ends with.
uint64_t TraceHash(std::string_view bytes);

}  // namespace bench

#endif  // BENCH_TRACE_TRACE_H_
