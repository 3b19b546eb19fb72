// Random operations on blocks that are each filled with a pattern of their own
// and verified whenever they are touched: two blocks that overlap, or an
// allocator that writes into one, cannot go unnoticed for long.
#ifndef TESTS_CONTRACT_OVERLAP_H_
#define TESTS_CONTRACT_OVERLAP_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/contract/subject.h"

namespace contract {

// A live block and what it is filled with.
struct Filled {
  void* address = nullptr;
  size_t size = 0;  // that the pattern covers
  uint64_t seed = 0;
  subject::Arena* arena = nullptr;  // null in the main heap
  size_t usable = 0;                // which must not change while it lives
};

// How long to run, from the environment:
//   OVERLAP_SEED     another course; failures name theirs
//   OVERLAP_OPS      operations of each thread and round
//   OVERLAP_SECONDS  rounds without end until this long has passed
struct OverlapOptions {
  uint64_t seed = 1;
  uint64_t operations;
  double seconds = 0;

  explicit OverlapOptions(uint64_t default_operations);
};

// One thread's share of the work.
class OverlapWorker {
 public:
  // Works in the main heap, unless it is told of others.
  OverlapWorker(uint64_t seed, size_t bytes_max)
      : random_(seed), bytes_max_(bytes_max) {}

  // Where to allocate from now on: arenas, and null for the main heap. One that
  // is named twice is taken twice as often.
  void WorkIn(std::vector<subject::Arena*> heaps) { heaps_ = std::move(heaps); }

  // One operation: allocates, frees, or reallocates one of the worker's blocks.
  void Step();

  // Takes a block out of the worker's hands, or hands it one.
  Filled Give();
  void Receive(const Filled& block);

  // Verifies the blocks of an arena and lets go of them: it is about to end.
  void Forget(subject::Arena* arena);

  // Frees everything.
  void Finish();

  uint64_t Random() { return random_(); }
  const std::vector<Filled>& blocks() const { return blocks_; }
  // What went wrong first; empty if all is well.
  const std::string& failure() const { return failure_; }

 private:
  size_t RandomSize();
  void* Allocate(subject::Arena* arena, size_t size);
  void Add(void* address, size_t asked, subject::Arena* arena);
  Filled Take(size_t i);
  void Verify(const Filled& block);
  void VerifyContents(const void* block, size_t size, uint64_t seed);
  void Free(const Filled& block);
  void Reallocate(Filled block);
  void Fail(const std::string& what);

  std::mt19937_64 random_;
  const size_t bytes_max_;
  uint64_t steps_ = 0;
  // Sizes that many blocks have for a while, so that their slabs fill up.
  size_t favourites_[3] = {};
  size_t bytes_ = 0;
  std::vector<subject::Arena*> heaps_ = {nullptr};
  std::vector<Filled> blocks_;
  std::string failure_;
};

}  // namespace contract

#endif  // TESTS_CONTRACT_OVERLAP_H_
