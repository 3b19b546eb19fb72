// Forks at any moment: eight threads allocate, free each other's blocks and end,
// and whichever of them has its turn forks. Each child looks at what it
// inherited, frees blocks that threads had which are not there, allocates,
// starts threads, forks again, uses and ends arenas, and shuts the instance
// down. There is no pthread_atfork: nobody is asked to hold still.
//
//   FORK_TORTURE_FORKS=20000  how many children
//   FORK_TORTURE_SEED=7       as a failure said
//
// Which instant a fork meets is up to the scheduler; the seed only fixes what
// threads and children do.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using ForkTortureTest = ContractTest;

constexpr int kThreads = 8;
constexpr unsigned kStalls = 400;
constexpr unsigned kHeld = 40;
// A child that takes so long hangs; on a machine that is busy it takes one.
constexpr unsigned kHangSeconds = 20;

unsigned long Number(const char* variable, unsigned long otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 0);
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  uint64_t operator()() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ * 0x2545f4914f6cdd1d >> 8;
  }
  size_t Size() {
    const uint64_t r = (*this)();
    if (r % 400 == 0) return 1 + (r >> 10) % (600 * kKiB);
    if (r % 20 == 0) return 1 + (r >> 10) % (20 * kKiB);
    return sizeof(size_t) + (r >> 10) % 600;
  }

 private:
  uint64_t state_;
};

// A block says itself how long it is.
void* Filled(void* block, size_t size) {
  if (block == nullptr) return nullptr;
  size = size < sizeof(size) ? sizeof(size) : size;
  memset(block, static_cast<int>(size % 251), size);
  memcpy(block, &size, sizeof(size));
  return block;
}
void* Make(Random& random) {
  const size_t size = random.Size();
  return Filled(subject::malloc(size < sizeof(size) ? sizeof(size) : size),
                size);
}
bool IsWhole(const void* block) {
  size_t size;
  memcpy(&size, block, sizeof(size));
  if (size > kMiB || size > subject::malloc_usable_size(block)) return false;
  const auto* const bytes = static_cast<const unsigned char*>(block);
  for (size_t i = sizeof(size); i < size; ++i) {
    if (bytes[i] != size % 251) return false;
  }
  return true;
}

// What all threads share. A block is in a stall only once it is filled, and is
// out of it before it is freed, so that a child finds whole ones there.
struct World {
  std::array<std::atomic<void*>, kStalls> stalls = {};
  std::array<std::atomic<void*>, kStalls> arena_stalls = {};
  subject::Arena* arena = nullptr;   // all use it, for as long as there is one
  subject::Arena* parent = nullptr;  // of arenas that come and go
  std::atomic<bool> end{false};
  std::atomic<int> broken{0};  // a line
  std::atomic<long> forks{0};
  std::atomic<long> failures{0};
  long forks_wanted = 0;
};

#define CHECK_CHILD(condition) \
  if (!(condition)) return __LINE__

int UseStall(std::atomic<void*>& stall, void* given) {
  void* const received = stall.exchange(given);
  if (received == nullptr) return 0;
  CHECK_CHILD(IsWhole(received));
  subject::free(received);
  return 0;
}

// What a thread does between its turns.
int Trade(World& world, Random& random, int steps) {
  void* held[kHeld] = {};
  for (int i = 0; i < steps; ++i) {
    const uint64_t r = random();
    void*& mine = held[r % kHeld];
    if (mine == nullptr) {
      mine = Make(random);
      CHECK_CHILD(mine != nullptr);
    } else if (r % 7 == 0) {
      CHECK_CHILD(IsWhole(mine));
      subject::free(std::exchange(mine, nullptr));
    } else {
      const int line = UseStall(world.stalls[(r >> 8) % kStalls],
                                std::exchange(mine, nullptr));
      if (line != 0) return line;
    }
    if (r % 16 == 0 && world.arena != nullptr) {
      const size_t size = sizeof(size_t) + (r >> 20) % 3000;
      void* const block =
          Filled(subject::arena_malloc(world.arena, size), size);
      CHECK_CHILD(block != nullptr);
      const int line = UseStall(world.arena_stalls[(r >> 8) % kStalls], block);
      if (line != 0) return line;
    }
    if (r % 256 == 0 && world.parent != nullptr) {
      subject::ArenaOptions options = Options((r >> 10) % 2);
      options.parent = world.parent;
      subject::Arena* const brief = subject::arena_create(&options);
      CHECK_CHILD(brief != nullptr);
      for (int k = 0; k < 20; ++k) {
        CHECK_CHILD(Filled(subject::arena_malloc(brief, 100), 100) != nullptr);
      }
      subject::arena_destroy(brief);
    }
  }
  for (void* const block : held) {
    if (block == nullptr) continue;
    CHECK_CHILD(IsWhole(block));
    subject::free(block);
  }
  return 0;
}

// Memory that is freed here is used again here.
int Reuse(Random& random) {
  size_t before = 0;
  for (int round = 0; round < 6; ++round) {
    std::vector<void*> blocks;
    for (int i = 0; i < 150; ++i) {
      blocks.push_back(Make(random));
      CHECK_CHILD(blocks.back() != nullptr);
    }
    for (void* const block : blocks) {
      CHECK_CHILD(IsWhole(block));
      subject::free(block);
    }
    if (round == 2) before = GetStats().bytes_spans;
  }
  // 150 blocks of 10 KiB, with luck and bad luck.
  CHECK_CHILD(GetStats().bytes_spans <= before + 8 * kMiB);
  return 0;
}

template <typename Work>
int InThreads(int count, const Work& work) {
  std::vector<std::thread> threads;
  std::vector<int> lines(count, -1);
  for (int t = 0; t < count; ++t) {
    threads.emplace_back([&, t] { lines[t] = work(t); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int line : lines) {
    if (line != 0) return line;
  }
  return 0;
}

int LookAround(const World& world) {
  for (const auto& stall : world.stalls) {
    const void* const block = stall.load();
    CHECK_CHILD(block == nullptr || (subject::owns(block) && IsWhole(block)));
  }
  for (const auto& stall : world.arena_stalls) {
    const void* const block = stall.load();
    CHECK_CHILD(block == nullptr || (subject::owns(block) && IsWhole(block)));
  }
  return 0;
}

int Child(World& world, uint64_t seed, int depth);

// 0, or the line at which the child found something wrong; or the signal that
// ended it, 10000 on.
int Fork(World& world, uint64_t seed, int depth) {
  int ends[2];
  if (pipe(ends) != 0) return __LINE__;
  const pid_t child = fork();
  if (child < 0) {
    close(ends[0]);
    close(ends[1]);
    return errno == EAGAIN ? 0 : __LINE__;
  }
  if (child == 0) {
    close(ends[0]);
    alarm(kHangSeconds);
    const int line = Child(world, seed, depth);
    _exit(write(ends[1], &line, sizeof(line)) == sizeof(line) ? 0 : 1);
  }
  close(ends[1]);
  int line = __LINE__;
  if (read(ends[0], &line, sizeof(line)) != sizeof(line)) line = __LINE__;
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return 10000 + WTERMSIG(status);
  return line;
}

int Child(World& world, uint64_t seed, int depth) {
  Random random(seed);
  CHECK_CHILD(LookAround(world) == 0);
  // Half of what threads left that are not here.
  for (unsigned i = 0; i < kStalls; i += 1 + random() % 3) {
    const int line = UseStall(world.stalls[i], nullptr);
    if (line != 0) return line;
  }
  int line = Reuse(random);
  if (line != 0) return line;
  if (random() % 2 == 0) {
    line = InThreads(2, [&](int t) {
      Random own(seed + 77 + t);
      return Trade(world, own, 150);
    });
    if (line != 0) return line;
  }
  CHECK_CHILD(LookAround(world) == 0);
  if (depth < 2 && random() % 4 == 0) {
    line = random() % 2 == 0 ? Fork(world, seed + 1, depth + 1)
                             : InThreads(1, [&](int) {
                                 return Fork(world, seed + 2, depth + 1);
                               });
    if (line != 0) return line;
  }
  line = Trade(world, random, 150);
  if (line != 0) return line;
  switch (random() % 4) {
    case 0:
      // With a thread that lives on, so that nobody can tell at once that those
      // of the parent do not.
      line = InThreads(1, [&](int) {
        subject::free(subject::malloc(1));
        subject::arena_destroy(world.parent);
        subject::arena_destroy(world.arena);
        return 0;
      });
      if (line != 0) return line;
      CHECK_CHILD(GetStats().arenas <= kThreads);
      break;
    case 1:
      subject::arena_reset(world.arena);
      CHECK_CHILD(subject::arena_malloc(world.arena, 100) != nullptr);
      break;
    case 2:
      CHECK_CHILD(subject::shutdown() == 0);
      CHECK_CHILD(GetStats().bytes_reserved == 0);
      line = Reuse(random);
      if (line != 0) return line;
      CHECK_CHILD(subject::shutdown() == 0);
      break;
    default:
      subject::purge();
      break;
  }
  return 0;
}

TEST_F(ForkTortureTest, AnyThreadAtAnyMoment) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer allows no thread in a child of several";
#endif
  World world;
  world.forks_wanted = static_cast<long>(Number("FORK_TORTURE_FORKS", 25));
  const uint64_t seed = Number("FORK_TORTURE_SEED", 1);
  const subject::ArenaOptions options = Options();
  world.arena = subject::arena_create(&options);
  world.parent = subject::arena_create(&options);
  ASSERT_NE(world.arena, nullptr);
  ASSERT_NE(world.parent, nullptr);

  std::atomic<int> turn{0};
  const auto serve = [&](int t) {
    // Threads end and begin all the time.
    Random random(seed * 1000 + t);
    while (!world.end) {
      const int line = InThreads(1, [&](int) {
        for (int i = 0; i < 20 && !world.end; ++i) {
          const int broken = Trade(world, random, 50);
          if (broken != 0) return broken;
          int mine = t;
          if (!turn.compare_exchange_strong(mine, -1)) continue;
          const long number = world.forks++;
          if (number >= world.forks_wanted) {
            world.end = true;
            break;
          }
          const int failure = Fork(world, seed + number * 100, 0);
          if (failure != 0) {
            ADD_FAILURE() << "fork " << number << " of seed " << seed << ": "
                          << failure;
            if (++world.failures == 10) world.end = true;
          }
          turn = static_cast<int>(random() % kThreads);
        }
        return 0;
      });
      if (line != 0) {
        world.broken = line;
        world.end = true;
      }
    }
    return 0;
  };
  EXPECT_EQ(InThreads(kThreads, serve), 0);
  EXPECT_EQ(world.broken, 0) << "a line of this file, in the parent";
  EXPECT_EQ(world.failures, 0)
      << "of " << world.forks << " forks; each is a line of this file, or a "
      << "signal from 10000 on, 14 of which means that it hung";
  for (auto& stall : world.stalls) UseStall(stall, nullptr);
  subject::arena_destroy(world.parent);
  subject::arena_destroy(world.arena);
}

}  // namespace
}  // namespace contract
