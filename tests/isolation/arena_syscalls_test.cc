// What arenas ask of the system: nothing, where they come and go; and as much
// at the end of one with many blocks as of one with few.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/isolation/syscall_counter.h"

namespace isolation {
namespace {

using contract::kKiB;
using contract::kMiB;
using contract::kUnit;
using contract::ScopedArena;

class ArenaSyscallsTest : public contract::ArenaModesTest {
 protected:
  // Runs the work in a thread of which the system calls are counted.
  static void Counted(const std::function<void()>& work) {
    // A thread of the instance's own begins here: making one needs to return
    // from a system call twice, which a counted one cannot.
    subject::free(subject::malloc(1));
    std::thread([&] {
      ASSERT_TRUE(CountSyscallsOfThisThread());
      work();
    }).join();
  }
  // Where memory may go back at once, by a system call, for each free.
  static bool PurgesAtOnce() {
    return contract::IsOn("background_purge") || contract::Quarantines() ||
           std::atoi(contract::Config().at("purge_delay_ms").c_str()) < 100;
  }
};

TEST_P(ArenaSyscallsTest, TheCounterCounts) {
  Counted([] {
    EXPECT_EQ(SyscallsDuring([] {}), 0u);
    EXPECT_EQ(SyscallsDuring([] {
                for (int i = 0; i < 3; ++i) syscall(SYS_getppid);
                EXPECT_EQ(syscall(SYS_getpid), getpid());
              }),
              5u);
    EXPECT_EQ(SyscallsDuring([] {
                void* const memory = mmap(nullptr, 4096, PROT_READ,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                EXPECT_NE(memory, MAP_FAILED);
                EXPECT_EQ(munmap(memory, 4096), 0);
              }),
              2u)
        << LastSyscalls();
  });
}

// Create, first block, destroy.
TEST_P(ArenaSyscallsTest, ASmallArenaNeedsNone) {
  if (PurgesAtOnce()) GTEST_SKIP() << "of this configuration's choice";
  Counted([this] {
    const subject::ArenaOptions options = Options();
    const auto cycle = [&](int blocks) {
      subject::Arena* const arena = subject::arena_create(&options);
      for (int i = 0; i < blocks; ++i) {
        void* const block = subject::arena_malloc(arena, 100);
        *static_cast<char*>(block) = 1;
      }
      subject::arena_destroy(arena);
    };
    for (const int blocks : {1, 0, 10}) {
      for (int i = 0; i < 200; ++i) cycle(blocks);
      EXPECT_EQ(SyscallsDuring([&] {
                  for (int i = 0; i < 500; ++i) cycle(blocks);
                }),
                0u)
          << LastSyscalls() << " with " << blocks << " blocks";
    }
    // Nor does one that is reset.
    subject::Arena* const arena = subject::arena_create(&options);
    const auto reset = [&] {
      for (int i = 0; i < 500; ++i) {
        *static_cast<char*>(subject::arena_malloc(arena, 100)) = 1;
        subject::arena_reset(arena);
      }
    };
    reset();
    EXPECT_EQ(SyscallsDuring(reset), 0u) << LastSyscalls();
    subject::arena_destroy(arena);
  });
}

// Nested ones, and several at once of which others die first.
TEST_P(ArenaSyscallsTest, NorDoSeveral) {
  if (PurgesAtOnce()) GTEST_SKIP() << "of this configuration's choice";
  Counted([this] {
    const auto cycle = [this] {
      ScopedArena parent(Options());
      subject::ArenaOptions options = Options();
      options.parent = parent;
      ScopedArena child(options);
      ScopedArena stranger(Options());
      for (subject::Arena* const arena :
           {static_cast<subject::Arena*>(parent),
            static_cast<subject::Arena*>(child),
            static_cast<subject::Arena*>(stranger)}) {
        *static_cast<char*>(subject::arena_malloc(arena, 40)) = 1;
      }
      child.Forget();
      parent.Destroy();
    };
    for (int i = 0; i < 200; ++i) cycle();
    EXPECT_EQ(SyscallsDuring([&] {
                for (int i = 0; i < 200; ++i) cycle();
              }),
              0u)
        << LastSyscalls();
  });
}

// What the end of an arena with so many blocks asks of the system.
struct Cost {
  size_t calls;
  size_t units;
};

Cost CostOfTheEnd(const subject::ArenaOptions& options, int blocks, size_t size,
                  bool reset) {
  ScopedArena arena(options);
  for (int i = 0; i < blocks; ++i)
    *static_cast<char*>(subject::arena_malloc(arena, size)) = 1;
  Cost cost = {};
  cost.units = contract::StatsOf(arena).bytes_held / kUnit;
  cost.calls = SyscallsDuring([&] {
    if (reset) {
      subject::arena_reset(arena);
    } else {
      arena.Destroy();
    }
  });
  return cost;
}

TEST_P(ArenaSyscallsTest, TheEndOfManyBlocksIsThatOfFew) {
  Counted([this] {
    for (const bool reset : {false, true}) {
      CostOfTheEnd(Options(), 1000, 64, reset);
      for (const size_t size : {16, 64, 1000}) {
        const Cost few = CostOfTheEnd(Options(), 10, size, reset);
        const Cost many = CostOfTheEnd(Options(), 100000, size, reset);
        // Where memory goes back at once, each unit may go alone.
        const size_t of_units =
            PurgesAtOnce() ? many.units * 2 : many.units / 32;
        EXPECT_LE(few.calls, 8u) << size;
        EXPECT_LE(many.calls, 8 + of_units)
            << LastSyscalls() << " for " << many.units << " units, blocks of "
            << size;
      }
    }
  });
}

// Nothing is touched per block: of pages that the program never wrote to, none
// comes into memory when their arena ends.
TEST_P(ArenaSyscallsTest, TheEndTouchesNoBlock) {
  constexpr int kBlocks = 20000;
  ScopedArena arena(Options());
  for (int i = 0; i < kBlocks; ++i)
    ASSERT_NE(subject::arena_malloc(arena, 4096), nullptr);
  const auto faults = [] {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
  };
  const long before = faults();
  arena.Destroy();
  EXPECT_LE(faults() - before, static_cast<long>(kBlocks * 4096 / kUnit + 100));
}

INSTANTIATE_TEST_SUITE_P(Modes, ArenaSyscallsTest,
                         testing::Values(subject::kGeneral,
                                         subject::kMonotonic),
                         [](const auto& mode) {
                           return mode.param == subject::kGeneral ? "General"
                                                                  : "Monotonic";
                         });

}  // namespace
}  // namespace isolation
