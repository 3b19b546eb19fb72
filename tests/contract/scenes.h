// Operations of all kinds for tests that stop a thread in the middle of one, at
// any instruction, and what its blocks are then.
#ifndef TESTS_CONTRACT_SCENES_H_
#define TESTS_CONTRACT_SCENES_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {

inline constexpr size_t kHeldMax = 700;

// Blocks that are certainly live, each filled according to its place here.
struct Held {
  std::array<std::atomic<void*>, kHeldMax> blocks = {};
  std::array<size_t, kHeldMax> sizes = {};
  size_t count = 0;

  // As few instructions as possible, for who is stepped. The block is filled by
  // FillAll.
  void Add(void* block, size_t size) {
    sizes[count] = size;
    blocks[count].store(block, std::memory_order_relaxed);
    count = count + 1;
  }
  void Make(size_t size) { Add(subject::malloc(size), size); }
  // A block that is about to be freed is not certain any more.
  void Free(size_t i) {
    subject::free(blocks[i].exchange(nullptr, std::memory_order_relaxed));
  }
  void FillAll() {
    for (size_t i = 0; i < count; ++i) {
      if (blocks[i] != nullptr) Fill(blocks[i], std::min(sizes[i], kFilled), i);
    }
  }
  void Check(const std::string& who) const {
    for (size_t i = 0; i < count; ++i) {
      if (blocks[i] == nullptr) continue;
      ASSERT_NE(subject::owns(blocks[i]), 0) << who;
      ASSERT_TRUE(Holds(blocks[i], std::min(sizes[i], kFilled), i)) << who;
    }
  }
  void FreeAll() {
    for (size_t i = 0; i < count; ++i) {
      if (blocks[i] != nullptr) Free(i);
    }
    count = 0;
  }
  static constexpr size_t kFilled = 2 * kKiB;
};

struct Scene {
  Held victims;  // what it has
  Held others;   // of a thread that lives, for the victim to free
  subject::Arena* arena = nullptr;
  subject::Arena* run = nullptr;    // a monotonic one
  subject::Arena* brief = nullptr;  // made by the operation, if any
  char* gifts = nullptr;            // memory of the program's, if any
};

struct Operation {
  const char* name;
  void (*prepare)(Scene& scene);    // by the victim, unstepped
  void (*interfere)(Scene& scene);  // by a thread that lives, after that
  void (*run)(Scene& scene);        // by the victim, stepped
  size_t largest = 0;               // of its blocks, if more than a slab's
};

extern const std::vector<Operation> kOperations;

// The operation's name as that of a test.
std::string NameOf(const testing::TestParamInfo<Operation>& operation);

}  // namespace contract

#endif  // TESTS_CONTRACT_SCENES_H_
