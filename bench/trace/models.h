// What the two ends of the format have to agree on beyond the bytes.
#ifndef BENCH_TRACE_MODELS_H_
#define BENCH_TRACE_MODELS_H_

#include <algorithm>
#include <cstdint>

#include "bench/trace/mapped_array.h"

namespace bench {

inline constexpr char kTraceMagic[] = "ALCOVE T\1";
inline constexpr size_t kTraceMagicSize = sizeof(kTraceMagic) - 1;

// The first byte of an operation.
enum OpCode : uint8_t {
  kCodeMallocRecent = 0x00,
  kCodeFreeYoung = 0x60,
  kCodeMalloc = 0xe0,
  kCodeFreeOld = 0xe1,
  kCodeCalloc = 0xe2,
  kCodeRealloc = 0xe3,
  kCodeAligned = 0xe4,
  kCodeThread = 0xe5,
  kCodeEnd = 0xe6,
};
inline constexpr uint32_t kRecentSizes = kCodeFreeYoung - kCodeMallocRecent;
inline constexpr uint32_t kYoungRanks = kCodeMalloc - kCodeFreeYoung;

// The sizes that malloc was asked for last, newest first, without repetition.
class RecentSizes {
 public:
  uint32_t count() const { return count_; }
  uint64_t at(uint32_t place) const { return sizes_[place]; }

  // The place of a size; count() if it is not there.
  uint32_t Find(uint64_t size) const {
    return static_cast<uint32_t>(std::find(sizes_, sizes_ + count_, size) -
                                 sizes_);
  }

  // Moves what is at `place` to the front.
  void Touch(uint32_t place) {
    std::rotate(sizes_, sizes_ + place, sizes_ + place + 1);
  }

  // Puts a size that is not there to the front; the last falls out.
  void Add(uint64_t size) {
    if (count_ < kRecentSizes) ++count_;
    sizes_[count_ - 1] = size;
    Touch(count_ - 1);
  }

 private:
  uint64_t sizes_[kRecentSizes] = {};
  uint32_t count_ = 0;
};

// Which blocks are live, and which is the n-th newest: a Fenwick tree over
// their numbers.
class LiveBlocks {
 public:
  explicit LiveBlocks(uint32_t capacity)
      : top_(Ceiling(capacity)), tree_(size_t{top_} + 1) {}

  uint32_t count() const { return count_; }
  bool full() const { return made_ == top_; }

  // The number of a new block. Not when full().
  uint32_t Make() {
    ++count_;
    Add(made_, 1);
    return made_++;
  }

  // `block` is live.
  void Take(uint32_t block) {
    --count_;
    Add(block, UINT32_MAX);  // minus one
  }

  // How many live blocks are newer than this one, which is live.
  uint32_t RankOf(uint32_t block) const {
    uint32_t older_or_same = 0;
    for (uint32_t i = block + 1; i > 0; i &= i - 1) older_or_same += tree_[i];
    return count_ - older_or_same;
  }

  // The live block of that rank, which is below count().
  uint32_t BlockOf(uint32_t rank) const {
    uint32_t older = count_ - rank - 1;
    uint32_t at = 0;
    for (uint32_t step = top_; step > 0; step /= 2) {
      if (at + step <= top_ && tree_[at + step] <= older) {
        at += step;
        older -= tree_[at];
      }
    }
    return at;
  }

 private:
  static uint32_t Ceiling(uint32_t capacity) {
    uint32_t power = 1;
    while (power < capacity) power *= 2;
    return power;
  }

  void Add(uint32_t block, uint32_t change) {
    for (uint32_t i = block + 1; i <= top_; i += i & (~i + 1)) {
      tree_[i] += change;
    }
  }

  uint32_t top_;  // a power of two
  uint32_t made_ = 0;
  uint32_t count_ = 0;
  MappedArray<uint32_t> tree_;
};

}  // namespace bench

#endif  // BENCH_TRACE_MODELS_H_
