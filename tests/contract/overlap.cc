#include "tests/contract/overlap.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "tests/contract/contract.h"

namespace contract {

namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 0);
}

}  // namespace

OverlapOptions::OverlapOptions(uint64_t default_operations)
    : seed(FromEnvironment("OVERLAP_SEED", 1)),
      operations(FromEnvironment("OVERLAP_OPS", default_operations)),
      seconds(static_cast<double>(FromEnvironment("OVERLAP_SECONDS", 0))) {}

void OverlapWorker::Fail(const std::string& what) {
  if (failure_.empty()) failure_ = what;
}

// Mostly small, as programs are, but every kind often enough.
size_t OverlapWorker::RandomSize() {
  const uint64_t kind = random_() % 1000;
  if (kind < 500) return favourites_[random_() % 3];
  if (kind < 800) return random_() % 512;
  if (kind < 960) return random_() % (12 * kKiB);
  if (kind < 996) return random_() % (200 * kKiB);
  return random_() % (3 * kMiB);
}

void OverlapWorker::Add(void* address, size_t asked, subject::Arena* arena) {
  if (address == nullptr)
    return Fail("no memory for " + std::to_string(asked) + " bytes");
  if (subject::arena_of(address) != arena)
    return Fail("a block lies in another arena than it was asked of");
  const size_t usable = subject::malloc_usable_size(address);
  if (usable < asked) return Fail("usable size below what was asked for");
  // Up to the last usable byte every other time.
  const Filled block = {address, random_() % 2 == 0 ? usable : asked, random_(),
                        arena, usable};
  Fill(block.address, block.size, block.seed);
  bytes_ += usable;
  blocks_.push_back(block);
}

void OverlapWorker::Verify(const Filled& block) {
  VerifyContents(block.address, block.size, block.seed);
  if (subject::malloc_usable_size(block.address) != block.usable)
    Fail("the usable size of a live block changed");
}

void OverlapWorker::VerifyContents(const void* block, size_t size,
                                   uint64_t seed) {
  if (const auto holds = Holds(block, size, seed); !holds)
    Fail(holds.message());
}

Filled OverlapWorker::Take(size_t i) {
  const Filled block = std::exchange(blocks_[i], blocks_.back());
  blocks_.pop_back();
  bytes_ -= block.usable;
  Verify(block);
  return block;
}

void OverlapWorker::Free(const Filled& block) {
  if (random_() % 8 == 0) {
    subject::free_sized(block.address,
                        subject::malloc_usable_size(block.address));
  } else {
    subject::free(block.address);
  }
}

void OverlapWorker::Reallocate(Filled block) {
  const size_t size = std::max<size_t>(RandomSize(), 1);
  void* const address =
      block.arena != nullptr && random_() % 2 == 0
          ? subject::arena_realloc(block.arena, block.address, size)
          : subject::realloc(block.address, size);
  if (address != nullptr)
    VerifyContents(address, std::min(size, block.size), block.seed);
  Add(address, size, block.arena);
}

void* OverlapWorker::Allocate(subject::Arena* arena, size_t size) {
  const uint64_t way = random_() % 8;
  if (way < 2) {
    void* const address = arena == nullptr
                              ? subject::calloc(1, size)
                              : subject::arena_calloc(arena, 1, size);
    if (address != nullptr && !IsZero(address, size))
      Fail("calloc gave memory that is not zero");
    return address;
  }
  if (way < 3) {
    const size_t alignment = size_t{1} << random_() % 19;
    void* const address =
        arena == nullptr ? subject::aligned_alloc(alignment, size)
                         : subject::arena_aligned_alloc(arena, alignment, size);
    if (reinterpret_cast<uintptr_t>(address) % alignment != 0)
      Fail("a block is not aligned");
    return address;
  }
  return arena == nullptr ? subject::malloc(size)
                          : subject::arena_malloc(arena, size);
}

void OverlapWorker::Step() {
  // By turns more blocks come than go, and the other way round.
  constexpr uint64_t kPhase = 4000;
  if (steps_ % (2 * kPhase) == 0) {
    for (size_t& size : favourites_) size = random_() % 256;
  }
  const uint64_t frees = steps_++ / kPhase % 2 == 0 ? 20 : 70;
  const uint64_t choice = random_() % 100;
  if (bytes_ > bytes_max_ || (choice < frees && !blocks_.empty())) {
    Free(Take(random_() % blocks_.size()));
    return;
  }
  if (random_() % 10 < 2 && !blocks_.empty()) {
    Reallocate(Take(random_() % blocks_.size()));
    return;
  }
  subject::Arena* const arena = heaps_[random_() % heaps_.size()];
  const size_t size = RandomSize();
  Add(Allocate(arena, size), size, arena);
}

Filled OverlapWorker::Give() {
  return blocks_.empty() ? Filled() : Take(random_() % blocks_.size());
}

void OverlapWorker::Receive(const Filled& block) {
  if (block.address == nullptr) return;
  Verify(block);
  bytes_ += block.usable;
  blocks_.push_back(block);
}

void OverlapWorker::Forget(subject::Arena* arena) {
  for (size_t i = blocks_.size(); i-- > 0;) {
    if (blocks_[i].arena == arena) Take(i);
  }
}

void OverlapWorker::Finish() {
  while (!blocks_.empty()) Free(Take(blocks_.size() - 1));
}

}  // namespace contract
