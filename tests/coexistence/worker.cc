#include "tests/coexistence/worker.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace coexistence {

namespace {

// What a thread holds at most; some of it in the hands of others.
constexpr size_t kBlocksMax = 400;
constexpr size_t kBytesMax = size_t{16} << 20;

// Behind its first pages a block's pattern is sparse, so that large ones do not
// take all of the time. What a shorter block has of it is the same.
constexpr size_t kDenseBytes = 8192;
constexpr size_t kStride = 1024;

uint64_t WordAt(uint64_t seed, size_t offset) {
  return (seed + offset) * 0x9e3779b97f4a7c15;
}

// Calls `each` for every offset of a whole word that is part of the pattern.
template <typename Each>
void ForEachWord(size_t size, Each each) {
  for (size_t at = 0; at + sizeof(uint64_t) <= size;
       at += at < kDenseBytes ? sizeof(uint64_t) : kStride) {
    each(at);
  }
}

void Fill(const Block& block) {
  auto* const bytes = static_cast<char*>(block.address);
  ForEachWord(block.size, [&](size_t at) {
    const uint64_t word = WordAt(block.seed, at);
    std::memcpy(bytes + at, &word, sizeof(word));
  });
  for (size_t at = block.size & ~size_t{7}; at < block.size; ++at)
    bytes[at] = static_cast<char>(WordAt(block.seed, at) >> 56);
}

const isolation::Functions& FunctionsOf(const Heap* heap) {
  static constexpr isolation::Functions kMalloc = {
      std::malloc, std::calloc, std::realloc, std::aligned_alloc,
      std::free,   nullptr,     nullptr,      nullptr};
  return heap == nullptr ? kMalloc : heap->functions;
}

}  // namespace

void Worker::Step() {
  const uint64_t choice = random_() % 16;
  if (blocks_.empty() || choice < 7) {
    Allocate();
  } else if (choice < 10) {
    Resize(Take());
  } else {
    Free(Take());
  }
  while (blocks_.size() > kBlocksMax || bytes_ > kBytesMax) Free(Take());
}

Block Worker::Give() {
  if (blocks_.empty()) return {};
  return Take();
}

void Worker::Receive(const Block& block) {
  if (block.address == nullptr) return;
  Verify(block);
  blocks_.push_back(block);
  bytes_ += block.size;
}

void Worker::Finish() {
  while (!blocks_.empty()) Free(Take());
}

// Of every doubling up to 512 KiB, small ones more often, and some of megabytes.
size_t Worker::RandomSize() {
  if (random_() % 500 == 0) return size_t{1} << (20 + random_() % 3);
  const size_t magnitude = size_t{1} << (random_() % (random_() % 20 + 1));
  return magnitude + random_() % magnitude;
}

void Worker::Allocate() {
  Block block;
  const size_t which = random_() % (kHeaps + 1);
  block.heap = which == kHeaps ? nullptr : &Heaps()[which];
  block.size = RandomSize();
  const isolation::Functions& functions = FunctionsOf(block.heap);
  switch (random_() % 4) {
    case 0: {
      block.address = functions.calloc(1, block.size);
      const auto* const bytes = static_cast<const char*>(block.address);
      for (size_t at = 0; bytes != nullptr && at < block.size; at += 7)
        if (bytes[at] != 0) Fail("is not zero", block);
      break;
    }
    case 1: {
      const size_t alignment = size_t{16} << (random_() % 9);
      block.size = (block.size + alignment - 1) / alignment * alignment;
      block.address = functions.aligned_alloc(alignment, block.size);
      if (reinterpret_cast<uintptr_t>(block.address) % alignment != 0)
        Fail("is not aligned", block);
      break;
    }
    default:
      block.address = functions.malloc(block.size);
  }
  ++allocated_;
  Keep(block);
}

void Worker::Resize(Block block) {
  const size_t had = block.size;
  block.size = RandomSize();
  block.address = FunctionsOf(block.heap).realloc(block.address, block.size);
  if (block.address == nullptr) return Fail("realloc gave none", block);
  // Whole words only: what its last bytes were depends on the old size.
  VerifyContents(block, std::min(had, block.size) & ~size_t{7});
  Keep(block);
}

void Worker::Free(const Block& block) {
  Verify(block);
  FunctionsOf(block.heap).free(block.address);
}

Block Worker::Take() {
  const size_t at = random_() % blocks_.size();
  std::swap(blocks_[at], blocks_.back());
  const Block block = blocks_.back();
  blocks_.pop_back();
  bytes_ -= block.size;
  return block;
}

void Worker::Keep(Block block) {
  if (block.address == nullptr) return Fail("is null", block);
  block.seed = random_();
  Fill(block);
  Receive(block);
}

void Worker::Verify(const Block& block) {
  const Heap* owner = nullptr;
  if (CountOwners(block.address, &owner) != (block.heap != nullptr) ||
      owner != block.heap) {
    Fail("has another owner", block);
  }
  const char* const end = static_cast<char*>(block.address) + block.size;
  if (block.heap != nullptr && block.heap->functions.owns(end - 1) == 0)
    Fail("is its owner's only in part", block);
  VerifyContents(block, block.size);
}

void Worker::VerifyContents(const Block& block, size_t size) {
  const auto* const bytes = static_cast<const char*>(block.address);
  bool good = true;
  ForEachWord(size, [&](size_t i) {
    const uint64_t word = WordAt(block.seed, i);
    good = good && std::memcmp(bytes + i, &word, sizeof(word)) == 0;
  });
  for (size_t i = size & ~size_t{7}; i < size; ++i)
    good = good && bytes[i] == static_cast<char>(WordAt(block.seed, i) >> 56);
  if (!good) Fail("was written to by somebody else", block);
}

void Worker::Fail(const char* what, const Block& block) {
  if (!failure_.empty()) return;
  char text[200];
  std::snprintf(text, sizeof(text), "block %p of %zu bytes, %s's, %s",
                block.address, block.size,
                block.heap == nullptr ? "malloc" : block.heap->prefix, what);
  failure_ = text;
}

}  // namespace coexistence
