// Arenas leave nothing: after any number of them, made, used and destroyed by
// four threads at once, the process and the instance are what they were.
//
// Brief by default; as long as it is told otherwise:
//   ARENA_CYCLES=100000  arenas that are made and destroyed
//   ARENA_SEED=7         another course; it is printed
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/isolation/process.h"

namespace contract {
namespace {

using ArenaCyclesTest = ContractTest;

constexpr int kThreads = 4;
constexpr size_t kSlots = 6;
constexpr size_t kBlocksOfAThread = 12;
constexpr size_t kBlockMax = 8 * kMiB;
// What one arena may hold: all of them together have a most, which the process
// is brought to before anything is measured.
constexpr size_t kQuota = 12 * kMiB;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 0);
}

struct Block {
  unsigned char* address;
  size_t size;
  unsigned char mark;
};

// An arena that several threads use at once (shared), until one ends it
// (exclusive). Without a memory of its own: the process must not grow for the
// test's sake.
struct Slot {
  std::shared_mutex mutex;
  subject::Arena* arena = nullptr;
  std::array<std::array<Block, kBlocksOfAThread>, kThreads> blocks = {};
};

class Cycles {
 public:
  explicit Cycles(uint64_t seed) {
    for (int t = 0; t < kThreads; ++t) random_[t].seed(seed * kThreads + t);
    pthread_barrier_init(&begin_, nullptr, kThreads + 1);
    pthread_barrier_init(&end_, nullptr, kThreads + 1);
    for (int t = 0; t < kThreads; ++t) {
      threads_.emplace_back([this, t] {
        for (;;) {
          pthread_barrier_wait(&begin_);
          if (target_ == 0) return;
          while (done_ < target_) Step(t);
          pthread_barrier_wait(&end_);
          // All arenas are gone when the warm memory of each thread goes, too.
          pthread_barrier_wait(&begin_);
          subject::purge();
          pthread_barrier_wait(&end_);
        }
      });
    }
  }
  ~Cycles() {
    target_ = 0;
    pthread_barrier_wait(&begin_);
    for (std::thread& thread : threads_) thread.join();
    pthread_barrier_destroy(&begin_);
    pthread_barrier_destroy(&end_);
  }

  // So many arenas come and go; all are gone in the end, and the threads wait.
  void Run(uint64_t cycles) {
    target_ = done_ + cycles;
    pthread_barrier_wait(&begin_);
    pthread_barrier_wait(&end_);
    for (Slot& slot : slots_) End(slot);
    pthread_barrier_wait(&begin_);
    pthread_barrier_wait(&end_);
  }
  const char* failure() const { return failure_; }

 private:
  void Step(int t) {
    std::mt19937_64& random = random_[t];
    Slot& slot = slots_[random() % kSlots];
    if (random() % 6 == 0) {
      const std::unique_lock lock(slot.mutex);
      const uint64_t way = random() % 8;
      if (way == 0 && slot.arena != nullptr) {
        subject::arena_reset(slot.arena);
        slot.blocks = {};
        return;
      }
      End(slot);
      if (way == 1) return;
      subject::ArenaOptions options = Options(random() % 2);
      options.hard_quota = kQuota;
      if (random() % 4 == 0) options.alignment = 64;
      if (random() % 4 == 0) options.reserve = kMiB;
      options.name = "cycle";
      slot.arena = subject::arena_create(&options);
      if (slot.arena == nullptr) failure_ = "no arena";
      return;
    }
    const std::shared_lock lock(slot.mutex);
    if (slot.arena != nullptr) Use(slot.arena, slot.blocks[t], random);
  }

  // Allocates, verifies and frees a few blocks; others stay.
  void Use(subject::Arena* arena, std::array<Block, kBlocksOfAThread>& blocks,
           std::mt19937_64& random) {
    for (int i = 0; i < 6; ++i) {
      Block& block = blocks[random() % kBlocksOfAThread];
      if (block.address != nullptr) {
        Verify(block);
        if (random() % 4 == 0) {
          Resize(block, RandomSize(random));
          continue;
        }
        subject::free(block.address);
        block = {};
        continue;
      }
      const size_t size = RandomSize(random);
      void* const address = subject::arena_malloc(arena, size);
      if (address == nullptr) continue;  // its quota
      if (subject::arena_of(address) != arena) failure_ = "another arena's";
      block = {static_cast<unsigned char*>(address), size,
               static_cast<unsigned char>(random())};
      Mark(block);
    }
  }
  // In place or to another, by which pages may move.
  void Resize(Block& block, size_t size) {
    void* const address = subject::realloc(block.address, size);
    if (address == nullptr) return;  // its quota
    block.address = static_cast<unsigned char*>(address);
    // The last byte of the smaller one may be no longer what it was.
    for (size_t at = 0; at < std::min(size, block.size); at += 4096) {
      if (block.address[at] != block.mark) failure_ = "realloc lost contents";
    }
    block.size = size;
    Mark(block);
  }
  // As often between 1 and 2 bytes as between 4 and 8 MiB.
  static size_t RandomSize(std::mt19937_64& random) {
    const double exponent = static_cast<double>(random() >> 11) / (1ull << 53);
    return static_cast<size_t>(
        std::pow(static_cast<double>(kBlockMax), exponent));
  }
  static void Mark(const Block& block) {
    for (size_t at = 0; at < block.size; at += 4096)
      block.address[at] = block.mark;
    block.address[block.size - 1] = block.mark;
  }
  void Verify(const Block& block) {
    for (size_t at = 0; at < block.size; at += 4096) {
      if (block.address[at] != block.mark) failure_ = "blocks overlap";
    }
    if (block.address[block.size - 1] != block.mark)
      failure_ = "blocks overlap";
  }

  void End(Slot& slot) {
    if (slot.arena == nullptr) return;
    for (const auto& blocks : slot.blocks) {
      for (const Block& block : blocks) {
        if (block.address != nullptr) Verify(block);
      }
    }
    subject::arena_destroy(slot.arena);
    slot.arena = nullptr;
    slot.blocks = {};
    ++done_;
  }

  std::array<Slot, kSlots> slots_;
  std::array<std::mt19937_64, kThreads> random_;
  std::atomic<uint64_t> done_ = 0;
  std::atomic<uint64_t> target_ = 0;
  std::atomic<const char*> failure_ = nullptr;
  pthread_barrier_t begin_;
  pthread_barrier_t end_;
  std::vector<std::thread> threads_;
};

// What the issue calls "where they were".
struct State {
  size_t address_space;
  size_t resident;
  size_t mappings;
  subject::Stats stats;
};

// With all memory that nobody uses given back. A thread of the instance's own
// may have a part of it in work.
State Look() {
  State state = {};
  for (int i = 0; i < 5000; ++i) {
    subject::purge();
    state.stats.struct_size = sizeof(state.stats);
    subject::stats(&state.stats);
    if (state.stats.bytes_dirty == 0) break;
    usleep(1000);
  }
  state.address_space = isolation::AddressSpace();
  state.resident = isolation::ResidentBytes();
  state.mappings = isolation::CountMappings(0, UINTPTR_MAX);
  return state;
}

void Print(const char* what, size_t before, size_t after) {
  std::printf("%-24s %16zu %16zu\n", what, before, after);
}

TEST_F(ArenaCyclesTest, LeaveNothing) {
  // Where memory goes back at once the system is asked for it again each time.
  const bool slow = IsOn("background_purge") || Quarantines() ||
                    Config().at("purge_delay_ms") == "0";
  const uint64_t cycles = FromEnvironment("ARENA_CYCLES", slow ? 500 : 3000);
  const uint64_t seed = FromEnvironment("ARENA_SEED", 1);
  Cycles run(seed);
  // The most there can be at once, and twice that for holes.
  void* const most = subject::malloc(2 * kSlots * kQuota);
  ASSERT_NE(most, nullptr);
  subject::free(most);
  run.Run(400);
  const State before = Look();
  run.Run(cycles);
  const State after = Look();

  std::printf("%llu cycles, ARENA_SEED=%llu\n%-24s %16s %16s\n",
              static_cast<unsigned long long>(cycles),
              static_cast<unsigned long long>(seed), "", "before", "after");
  Print("VmSize", before.address_space, after.address_space);
  Print("VmRSS", before.resident, after.resident);
  Print("lines of maps", before.mappings, after.mappings);
#define PRINT(member) Print(#member, before.stats.member, after.stats.member)
  PRINT(arenas);
  PRINT(blocks_live);
  PRINT(bytes_live);
  PRINT(bytes_cached);
  PRINT(bytes_spans);
  PRINT(bytes_dirty);
  PRINT(bytes_committed);
  PRINT(bytes_reserved);
  PRINT(bytes_metadata);
  PRINT(threads);
#undef PRINT

  EXPECT_EQ(run.failure(), nullptr) << run.failure();
  EXPECT_EQ(after.address_space, before.address_space);
  EXPECT_EQ(after.mappings, before.mappings);
  // Metadata of units that were not used before, and the test's own pages.
  EXPECT_LE(after.resident, before.resident + kMiB);
  EXPECT_EQ(after.stats.arenas, 0u);
  EXPECT_EQ(after.stats.blocks_live, 0u);
  EXPECT_EQ(after.stats.bytes_live, 0u);
  EXPECT_EQ(after.stats.bytes_dirty, 0u);
  EXPECT_EQ(after.stats.bytes_cached, before.stats.bytes_cached);
  // Of the last arenas something may be in quarantine.
  if (!Quarantines()) {
    EXPECT_EQ(after.stats.bytes_spans, before.stats.bytes_spans);
    EXPECT_EQ(after.stats.bytes_committed, before.stats.bytes_committed);
  }
  EXPECT_EQ(after.stats.bytes_reserved, before.stats.bytes_reserved);
  EXPECT_EQ(after.stats.bytes_metadata, before.stats.bytes_metadata);
  EXPECT_EQ(after.stats.threads, before.stats.threads);
}

}  // namespace
}  // namespace contract
