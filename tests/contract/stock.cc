#include "tests/contract/stock.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "tests/contract/contract.h"

namespace contract {

namespace {

constexpr int kUntouched = 12345;

// Calls look(at) for the places of a block that are filled: all of its
// beginning, and of the rest one in every third page.
template <typename Look>
void ForEachPlace(size_t size, Look look) {
  constexpr size_t kWhole = 200;
  for (size_t at = 0; at < std::min(size, kWhole); ++at) look(at);
  for (size_t at = kWhole; at < size; at += 12289) look(at);
}

unsigned char ByteAt(uint64_t seed, size_t at) {
  return static_cast<unsigned char>((seed + at * 0x9e3779b97f4a7c15) >> 56);
}

void FillPlaces(unsigned char* p, size_t size, uint64_t seed) {
  ForEachPlace(size, [&](size_t at) { p[at] = ByteAt(seed, at); });
}

void RequirePlaces(const unsigned char* p, size_t size, uint64_t seed) {
  ForEachPlace(size, [&](size_t at) { REQUIRE(p[at] == ByteAt(seed, at)); });
}

}  // namespace

void Require(bool good, const char* file, int line, const char* what) {
  if (good) return;
  dprintf(STDERR_FILENO, "%s:%d: not so: %s (%s)\n", file, line, what,
          subject::prefix);
  _exit(1);
}

Stock::Stock(uint64_t stream)
    : state_(stream * 0x9e3779b97f4a7c15 + 1), sets_errno_(IsOn("set_errno")) {}

size_t Stock::Work(size_t calls) {
  size_t refused = 0;
  for (size_t i = 0; i < calls; ++i) {
    const size_t action = Below(64);
    errno = kUntouched;
    if (i % 50 == 0) {
      refused += MoveAndClear();
    } else if (action == 0) {
      subject::purge();
    } else if (action == 1) {
      if (Below(2) == 0) subject::thread_detach();
    } else if (action < 8) {
      const auto which = static_cast<unsigned>(Below(kArenas));
      if (arenas_[which].handle == nullptr) {
        refused += Create(which) ? 0 : 1;
      } else if (which != 0) {
        End(which);
      }
    } else {
      Block* const block = &blocks_[Below(kBlocks)];
      if (block->p == nullptr) {
        refused += Allocate(block) ? 0 : 1;
      } else if (action < 30) {
        refused += Resize(block) ? 0 : 1;
      } else {
        Free(block);
      }
    }
  }
  return refused;
}

void Stock::Verify() const {
  size_t in_arenas[kArenas + 1] = {};
  for (const Block& block : blocks_) {
    if (block.p == nullptr) continue;
    RequirePlaces(block.p, block.size, block.seed);
    REQUIRE(subject::owns(block.p) != 0);
    REQUIRE(subject::malloc_usable_size(block.p) >= block.size);
    ++in_arenas[block.arena];
  }
  for (unsigned i = 0; i < kArenas; ++i) {
    if (arenas_[i].handle == nullptr) continue;
    subject::ArenaStats stats = {};
    stats.struct_size = sizeof(stats);
    REQUIRE(subject::arena_stats(arenas_[i].handle, &stats) == 0);
    REQUIRE(stats.blocks_live == in_arenas[i]);
    REQUIRE(stats.bytes_held >= stats.bytes_live);
  }
}

void Stock::Clear() {
  Verify();
  for (Block& block : blocks_) {
    if (block.p != nullptr && Below(4) != 0) Free(&block);
  }
  for (unsigned i = kArenas; i-- > 0;) {
    if (arenas_[i].handle == nullptr) continue;
    Drop(i);
    subject::arena_destroy(arenas_[i].handle);
    arenas_[i].handle = nullptr;
  }
  for (Block& block : blocks_) {
    if (block.p != nullptr) Free(&block);
  }
}

size_t Stock::blocks() const {
  return static_cast<size_t>(
      std::count_if(blocks_, blocks_ + kBlocks, [](const Block& block) {
        return block.p != nullptr && block.arena == kArenas;
      }));
}

uint64_t Stock::Next() {  // splitmix64
  uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Slabs of small and of medium blocks, spans, and what is large enough for
// its pages to be moved.
size_t Stock::RandomSize() {
  const size_t kind = Below(16);
  if (kind < 7) return Below(kKiB);
  if (kind < 11) return Below(32 * kKiB);
  if (kind < 14) return Below(600 * kKiB);
  return Below(3 * kMiB);
}

void Stock::Judge(bool served) const {
  REQUIRE(errno == (served || !sets_errno_ ? kUntouched : ENOMEM));
  errno = kUntouched;
}

bool Stock::Allocate(Block* block) {
  const size_t size = RandomSize();
  const size_t alignment = RandomAlignment();
  auto arena = static_cast<unsigned>(Below(2 * kArenas));
  if (arena >= kArenas || arenas_[arena].handle == nullptr) arena = kArenas;
  subject::Arena* const in = arena == kArenas ? nullptr : arenas_[arena].handle;
  void* p = nullptr;
  const size_t kind = Below(4);
  if (kind == 0)
    p = in == nullptr ? subject::malloc(size) : subject::arena_malloc(in, size);
  if (kind == 1) {
    p = in == nullptr ? subject::calloc(1, size)
                      : subject::arena_calloc(in, 1, size);
  }
  if (kind == 2) {
    p = in == nullptr ? subject::aligned_alloc(alignment, size)
                      : subject::arena_aligned_alloc(in, alignment, size);
  }
  if (kind == 3) {
    const int result =
        in == nullptr ? subject::posix_memalign(&p, alignment, size)
                      : subject::arena_posix_memalign(in, &p, alignment, size);
    REQUIRE(result == (p != nullptr ? 0 : ENOMEM));
    REQUIRE(errno == kUntouched);
  } else {
    Judge(p != nullptr);
  }
  if (p == nullptr) return in != nullptr && arenas_[arena].bounded;
  *block = {static_cast<unsigned char*>(p), size, Next(), arena};
  if (kind == 1)
    ForEachPlace(size, [&](size_t at) { REQUIRE(block->p[at] == 0); });
  if (kind >= 2) REQUIRE(reinterpret_cast<uintptr_t>(p) % alignment == 0);
  FillPlaces(block->p, size, block->seed);
  return true;
}

bool Stock::Resize(Block* block) {
  const size_t size = 1 + RandomSize();
  auto* const p = static_cast<unsigned char*>(subject::realloc(block->p, size));
  Judge(p != nullptr);
  if (p == nullptr) {
    RequirePlaces(block->p, block->size, block->seed);
    return block->arena != kArenas && arenas_[block->arena].bounded;
  }
  RequirePlaces(p, std::min(block->size, size), block->seed);
  block->p = p;
  block->size = size;
  block->seed = Next();
  FillPlaces(p, size, block->seed);
  return true;
}

// What chance seldom brings about: a large block that has to move, and zeros
// where there was something.
size_t Stock::MoveAndClear() {
  const size_t size = kMiB + RandomSize() / 4;
  size_t refused = 0;
  void* blocks[3];
  for (void*& block : blocks) {
    block = subject::malloc(size);
    Judge(block != nullptr);
    refused += block == nullptr ? 1 : 0;
    if (block != nullptr)
      FillPlaces(static_cast<unsigned char*>(block), size, size);
  }
  if (blocks[0] != nullptr) {
    void* const moved = subject::realloc(blocks[0], 2 * size);
    Judge(moved != nullptr);
    refused += moved == nullptr ? 1 : 0;
    if (moved != nullptr) blocks[0] = moved;
  }
  for (void* const block : blocks) {
    if (block == nullptr) continue;
    RequirePlaces(static_cast<unsigned char*>(block), size, size);
    subject::free(block);
  }
  auto* const cleared = static_cast<unsigned char*>(subject::calloc(1, size));
  Judge(cleared != nullptr);
  if (cleared == nullptr) return refused + 1;
  ForEachPlace(size, [&](size_t at) { REQUIRE(cleared[at] == 0); });
  subject::free(cleared);
  return refused;
}

void Stock::Free(Block* block) {
  RequirePlaces(block->p, block->size, block->seed);
  errno = kUntouched;
  subject::free(block->p);
  REQUIRE(errno == kUntouched);
  block->p = nullptr;
}

bool Stock::Create(unsigned which) {
  subject::ArenaOptions options = {};
  options.struct_size = sizeof(options);
  // Of a parent that could not be had the others do without.
  options.parent = which == 0 ? nullptr : arenas_[0].handle;
  options.mode = which % 2 == 0 ? subject::kGeneral : subject::kMonotonic;
  if (which >= 3) options.hard_quota = 4 * kMiB;
  if (Below(2) == 0) options.reserve = Below(kMiB);
  if (Below(4) == 0) options.alignment = 64;
  subject::Arena* const handle = subject::arena_create(&options);
  Judge(handle != nullptr);
  arenas_[which] = {handle, options.hard_quota != 0};
  return handle != nullptr;
}

// What is in an arena is about to go with it.
void Stock::Drop(unsigned which) {
  for (Block& block : blocks_) {
    if (block.p == nullptr || block.arena != which) continue;
    RequirePlaces(block.p, block.size, block.seed);
    block.p = nullptr;
  }
}

void Stock::End(unsigned which) {
  Drop(which);
  if (Below(3) == 0) {
    subject::arena_reset(arenas_[which].handle);
  } else {
    subject::arena_destroy(arenas_[which].handle);
    arenas_[which].handle = nullptr;
  }
  REQUIRE(errno == kUntouched);
}

}  // namespace contract
