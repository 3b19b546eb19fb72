#include "tests/handover/churn.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

// ThreadSanitizer does not see inside an instance how memory that one thread
// freed comes to be another's, and would take each for a race.
#if defined(__SANITIZE_THREAD__)
#define HANDOVER_UNWATCHED __attribute__((no_sanitize("thread"), noinline))
#else
#define HANDOVER_UNWATCHED
#endif

namespace handover_tests {

namespace {

unsigned char ByteAt(size_t i, uint32_t mark) {
  return static_cast<unsigned char>(i * 31 + mark);
}

// Both ends, and steps between them: each page of a large block.
constexpr size_t kStep = 251;

HANDOVER_UNWATCHED void Fill(void* memory, size_t size, uint32_t mark) {
  auto* const bytes = static_cast<volatile unsigned char*>(memory);
  for (size_t i = 0; i < size; i += kStep) bytes[i] = ByteAt(i, mark);
  if (size != 0) bytes[size - 1] = ByteAt(size - 1, mark);
}

// Of a block that was filled, and then resized if `size` is less than it was.
HANDOVER_UNWATCHED bool Holds(const void* memory, size_t size, size_t filled,
                              uint32_t mark) {
  const auto* const bytes = static_cast<const volatile unsigned char*>(memory);
  for (size_t i = 0; i < size; i += kStep) {
    if (bytes[i] != ByteAt(i, mark)) return false;
  }
  return size != filled || size == 0 ||
         bytes[size - 1] == ByteAt(size - 1, mark);
}

HANDOVER_UNWATCHED bool IsZero(const void* memory, size_t size) {
  const auto* const bytes = static_cast<const volatile unsigned char*>(memory);
  for (size_t i = 0; i < size; i += kStep / 4) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

}  // namespace

uint64_t Seed() {
  const char* const text = std::getenv("HANDOVER_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
}

Churn::Churn(alcove::Handover* handover, int threads, uint64_t seed)
    : handover_(handover) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back(
        [this, seed, i] { Live(seed * 1000 + static_cast<uint64_t>(i)); });
  }
}

Churn::~Churn() { Stop(); }

void Churn::Stop() {
  done_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  for (auto& place : shared_) {
    const std::unique_ptr<Block> block(place.exchange(nullptr));
    if (block != nullptr) End(block.get());
  }
}

void Churn::Check(bool good, const char* what) {
  if (good || !good_.exchange(false)) return;
  std::fprintf(stderr, "churn: %s\n", what);
}

Churn::Block Churn::Make(Random* random) {
  static constexpr size_t kSizes[] = {0,    1,    16,    40,    200,   1000,
                                      4000, 9000, 33000, 70000, 300000};
  const size_t most = kSizes[(*random)() % std::size(kSizes)];
  const size_t size = most == 0 ? 0 : most - (*random)() % (most / 4 + 1);
  const auto mark = static_cast<uint32_t>((*random)());
  void* memory;
  switch (mark / 8 % 4) {
    case 0:
      memory = handover_->AllocateZeroed(1, size);
      Check(memory == nullptr || IsZero(memory, size), "not zeroed");
      break;
    case 1:
      memory = handover_->AllocateAligned(256, size);
      Check(reinterpret_cast<uintptr_t>(memory) % 256 == 0, "not aligned");
      break;
    default:
      memory = handover_->Allocate(size);
  }
  Check(memory != nullptr, "no memory");
  if (memory == nullptr) return {};
  Check(handover_->UsableSize(memory) >= size, "too small");
  Fill(memory, size, mark);
  return {memory, size, mark};
}

void Churn::Change(Block* block, Random* random) {
  if (block->memory == nullptr) return;
  Check(Holds(block->memory, block->size, block->size, block->mark),
        "other contents before resize");
  const size_t size = block->size / 2 + (*random)() % (block->size + 1) + 1;
  void* const memory = handover_->Resize(block->memory, size);
  Check(memory != nullptr, "no memory to resize");
  if (memory == nullptr) return;
  Check(Holds(memory, size < block->size ? size : block->size, block->size,
              block->mark),
        "other contents after resize");
  *block = {memory, size, static_cast<uint32_t>((*random)())};
  Fill(block->memory, block->size, block->mark);
}

void Churn::End(Block* block) {
  if (block->memory == nullptr) return;
  Check(handover_->Owns(block->memory), "nobody's");
  Check(Holds(block->memory, block->size, block->size, block->mark),
        "other contents before free");
  handover_->Free(block->memory);
  *block = {};
}

void Churn::Live(uint64_t seed) {
  Random random(static_cast<uint32_t>(seed + 1));
  Block own[kOwn];
  uint64_t step = 0;
  for (; !done_.load(std::memory_order_relaxed); ++step) {
    Block* const block = &own[step % kOwn];
    End(block);
    *block = Make(&random);
    Change(&own[random() % kOwn], &random);
    // Each place of the shared ones has its turn, too.
    if (step % 2 != 0) continue;
    auto given = std::make_unique<Block>(Make(&random));
    const std::unique_ptr<Block> taken(
        shared_[turn_++ % kShared].exchange(given.release()));
    if (taken == nullptr) continue;
    if (random() % 2 == 0) Change(taken.get(), &random);
    End(taken.get());
  }
  for (Block& block : own) End(&block);
  steps_ += step;
}

}  // namespace handover_tests
