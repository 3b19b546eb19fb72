// One thread's random use of all twelve instances and of malloc. Every block is
// filled with a pattern of its own, verified whenever it is touched, and its
// owner is asked for then.
#ifndef TESTS_COEXISTENCE_WORKER_H_
#define TESTS_COEXISTENCE_WORKER_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/coexistence/heaps.h"

namespace coexistence {

// A live block.
struct Block {
  void* address = nullptr;
  size_t size = 0;
  uint64_t seed = 0;           // of what it is filled with
  const Heap* heap = nullptr;  // null: malloc's
};

class Worker {
 public:
  explicit Worker(uint64_t seed) : random_(seed) {}

  // Allocates, resizes or frees a block of any of the thirteen.
  void Step();

  // Lets go of a block, if there is any, and takes one over, if it is one.
  Block Give();
  void Receive(const Block& block);

  // Frees everything.
  void Finish();

  uint64_t Random() { return random_(); }
  const std::vector<Block>& blocks() const { return blocks_; }
  uint64_t allocated() const { return allocated_; }
  // What went wrong first; empty if all is well.
  const std::string& failure() const { return failure_; }

 private:
  size_t RandomSize();
  void Allocate();
  void Resize(Block block);
  void Free(const Block& block);
  Block Take();
  void Keep(Block block);
  void Verify(const Block& block);
  void VerifyContents(const Block& block, size_t size);  // its beginning
  void Fail(const char* what, const Block& block);

  std::mt19937_64 random_;
  std::vector<Block> blocks_;
  size_t bytes_ = 0;
  uint64_t allocated_ = 0;
  std::string failure_;
};

}  // namespace coexistence

#endif  // TESTS_COEXISTENCE_WORKER_H_
