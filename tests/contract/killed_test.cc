// A thread that ends by a raw exit system call at any instruction of malloc and
// free: it is stepped by the CPU's trap flag, and the handler of the n-th trap
// ends it. Whatever it was at, another thread takes its heap over: what was live
// stays live, nothing is handed out twice, and no more is lost than what the one
// operation had in hand.
//
//   KILLED_STRIDE=1  each instruction; by default some of each operation's
//   KILLED_SEED=7    where the stride begins, as a failure said
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/crew.h"

namespace contract {
namespace {

unsigned long Number(const char* variable, unsigned long otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 0);
}

// ---- Stepping ----

thread_local long g_steps_left = 0;

void OnTrap(int, siginfo_t*, void*) {
  if (--g_steps_left != 0) return;
  // Not pthread_exit, nor what libc makes of exit(): nobody is told.
  asm volatile("syscall" : : "a"(SYS_exit), "D"(0) : "rcx", "r11", "memory");
}

class ScopedTraps {
 public:
  ScopedTraps() {
    struct sigaction action = {};
    action.sa_sigaction = OnTrap;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGTRAP, &action, &before_);
  }
  ~ScopedTraps() { sigaction(SIGTRAP, &before_, nullptr); }

 private:
  struct sigaction before_;
};

// Runs the operation and ends the thread after so many instructions, if there
// are so many. Returns how many were left.
template <typename Operation>
long RunFor(long steps, const Operation& operation) {
  g_steps_left = steps;
  // The red zone belongs to whoever is interrupted here.
  asm volatile(
      "lea -128(%%rsp), %%rsp\n pushfq\n orq $0x100, (%%rsp)\n popfq\n"
      "lea 128(%%rsp), %%rsp"
      :
      :
      : "memory", "cc");
  operation();
  asm volatile(
      "lea -128(%%rsp), %%rsp\n pushfq\n andq $~0x100, (%%rsp)\n popfq\n"
      "lea 128(%%rsp), %%rsp"
      :
      :
      : "memory", "cc");
  return g_steps_left;
}

// ---- What threads hold ----

constexpr size_t kHeldMax = 700;

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
};

struct Operation {
  const char* name;
  void (*prepare)(Scene& scene);    // by the victim, unstepped
  void (*interfere)(Scene& scene);  // by a thread that lives, after that
  void (*run)(Scene& scene);        // by the victim, stepped
  size_t largest = 0;               // of its blocks, if more than a slab's
};

void Nothing(Scene&) {}

template <size_t kSize, size_t kCount>
void MakeSome(Scene& scene) {
  for (size_t i = 0; i < kCount; ++i) scene.victims.Make(kSize);
}
template <size_t kSize, size_t kCount>
void OthersMake(Scene& scene) {
  for (size_t i = 0; i < kCount; ++i) scene.others.Make(kSize);
  scene.others.FillAll();
}
template <size_t kCount>
void FreeSome(Scene& scene) {
  for (size_t i = 0; i < kCount; ++i) scene.victims.Free(i);
}
// Not neighbours: single blocks go other ways than runs of them.
template <size_t kCount>
void FreeScattered(Scene& scene) {
  for (size_t i = 0; i < kCount; ++i) scene.victims.Free(i * 7 % kCount);
}
template <size_t kCount>
void FreeOthers(Scene& scene) {
  for (size_t i = 0; i < kCount; ++i) scene.others.Free(i);
}
template <size_t kCount>
void OthersFreeVictims(Scene& scene) {
  FreeSome<kCount>(scene);
  subject::thread_detach();
}

const Operation kOperations[] = {
    {"the first malloc of a thread", Nothing, Nothing, MakeSome<64, 1>},
    {"malloc until slabs are made", MakeSome<512, 1>, Nothing,
     MakeSome<512, 140>},
    {"malloc of medium blocks", Nothing, Nothing, MakeSome<20000, 30>},
    {"free until bins grow and are flushed", MakeSome<512, 160>, Nothing,
     FreeSome<80>},
    {"free of blocks here and there", MakeSome<512, 160>, Nothing,
     FreeScattered<101>},
    {"free of large arrays of small blocks", MakeSome<16, 560>, Nothing,
     FreeSome<550>},
    {"free until slabs go", MakeSome<8192, 60>, Nothing, FreeSome<60>},
    {"free until medium slabs go", MakeSome<20000, 120>, Nothing,
     FreeSome<120>},
    {"free of another thread's", MakeSome<512, 1>, OthersMake<512, 120>,
     FreeOthers<100>},
    {"free of another thread's medium ones", MakeSome<512, 1>,
     OthersMake<20000, 60>, FreeOthers<50>},
    {"malloc where others freed", MakeSome<512, 300>, OthersFreeVictims<250>,
     MakeSome<512, 130>},
    {"large blocks",
     [](Scene& scene) {
       for (const size_t size : {100000, 300000, 1500000, 100000, 100000})
         scene.victims.Make(size);
     },
     Nothing,
     [](Scene& scene) {
       for (size_t i = 0; i < 4; ++i) scene.victims.Free(i);
       for (const size_t size : {100000, 300000, 1500000, 40000000, 90000})
         scene.victims.Make(size);
       for (size_t i = 5; i < 9; ++i) scene.victims.Free(i);
     },
     40000000},
    {"large blocks of another thread", MakeSome<512, 1>,
     [](Scene& scene) {
       for (int i = 0; i < 20; ++i) {
         scene.others.Make(100000);
         scene.others.Make(1500000);
       }
       scene.others.FillAll();
     },
     FreeOthers<38>, 1500000},
    {"realloc",
     [](Scene& scene) {
       for (const size_t size : {100, 3000, 100000, 1500000})
         scene.victims.Make(size);
     },
     Nothing,
     [](Scene& scene) {
       for (size_t i = 0; i < 4; ++i) {
         for (const size_t factor : {2, 5, 1}) {
           // Which of the two there is, nobody knows in the middle of it.
           void* const block = scene.victims.blocks[i].exchange(nullptr);
           scene.victims.blocks[i] =
               subject::realloc(block, scene.victims.sizes[i] * factor);
         }
         subject::free(scene.victims.blocks[i].exchange(nullptr));
       }
     },
     2 * 7500000},
    {"thread_detach",
     [](Scene& scene) {
       MakeSome<512, 60>(scene);
       MakeSome<20000, 40>(scene);
       MakeSome<100000, 5>(scene);
       MakeSome<1500000, 2>(scene);
       for (size_t i = 0; i < 107; ++i) {
         if (i % 4 != 0) scene.victims.Free(i);
       }
     },
     OthersMake<512, 20>,
     [](Scene& scene) {
       FreeOthers<10>(scene);
       subject::thread_detach();
     }},
    {"malloc and free in arenas",
     [](Scene& scene) {
       for (int i = 0; i < 100; ++i) {
         scene.victims.Add(subject::arena_malloc(scene.arena, 512), 512);
         scene.victims.Add(subject::arena_malloc(scene.run, 512), 512);
       }
     },
     Nothing,
     [](Scene& scene) {
       for (size_t i = 0; i < 150; ++i) scene.victims.Free(i);
       for (int i = 0; i < 60; ++i) {
         scene.victims.Add(subject::arena_malloc(scene.arena, 512), 512);
         scene.victims.Add(subject::arena_malloc(scene.run, 3000), 3000);
       }
       scene.victims.Add(subject::arena_malloc(scene.arena, 100000), 100000);
     }},
    {"free of another thread's in arenas",
     [](Scene& scene) {
       scene.victims.Add(subject::arena_malloc(scene.arena, 512), 512);
     },
     [](Scene& scene) {
       for (int i = 0; i < 100; ++i)
         scene.others.Add(subject::arena_malloc(scene.arena, 512), 512);
       scene.others.FillAll();
     },
     FreeOthers<90>},
    {"taking up what was left of an arena",
     [](Scene& scene) {
       const subject::ArenaOptions options = Options();
       scene.brief = subject::arena_create(&options);
       // More than three refills, and it is not left.
       for (const size_t size : {64, 128, 256})
         subject::arena_malloc(scene.brief, size);
     },
     [](Scene& scene) {
       subject::arena_malloc(scene.brief, 512);
       subject::arena_destroy(scene.brief);
       // The same object, with the heaps of both threads.
       const subject::ArenaOptions options = Options();
       scene.brief = subject::arena_create(&options);
     },
     [](Scene& scene) {
       // More than three refills, and it is not left.
       for (const size_t size : {64, 128, 256})
         subject::arena_malloc(scene.brief, size);
     }},
    {"arenas that come and go", Nothing, Nothing,
     [](Scene& scene) {
       for (const uint32_t mode : {subject::kGeneral, subject::kMonotonic}) {
         subject::ArenaOptions options = Options(mode);
         options.parent = scene.arena;
         subject::Arena* const arena = subject::arena_create(&options);
         for (int i = 0; i < 40; ++i) subject::arena_malloc(arena, 3000);
         subject::arena_destroy(arena);
       }
     }},
    {"arena_reset", Nothing, Nothing,
     [](Scene&) {
       const subject::ArenaOptions options = Options();
       subject::Arena* const arena = subject::arena_create(&options);
       for (int i = 0; i < 40; ++i) subject::arena_malloc(arena, 3000);
       subject::arena_reset(arena);
       for (int i = 0; i < 40; ++i) subject::arena_malloc(arena, 3000);
       subject::arena_destroy(arena);
     }},
    {"purge",
     [](Scene& scene) {
       MakeSome<20000, 40>(scene);
       MakeSome<100000, 5>(scene);
       for (size_t i = 0; i < 45; ++i) {
         if (i % 4 != 0) scene.victims.Free(i);
       }
     },
     Nothing, [](Scene&) { subject::purge(); }},
};

class KilledTest : public ContractTest,
                   public testing::WithParamInterface<Operation> {};

// What one death may cost, in bytes of spans: a span that was between the region
// and its user, or units that a purge had claimed, 64 at a time; or a slab, where
// blocks of it were between it and a cache, or its announcement was cut off. Many
// cost nothing.
constexpr size_t kLostAtOnceMax = 64 * kUnit;
constexpr size_t kLostOnAverageMax = 8 * kUnit;

// A thread that takes the heap over, allocates from it more than was cached, and
// frees what the victim had.
void Inherit(Scene& scene, const std::string& when) {
  Held own;
  for (const size_t size : {16, 64, 512, 8192, 20000, 100000}) {
    const size_t count = size < 1000 ? 120 : 20;
    for (size_t i = 0; i < count; ++i) own.Make(size);
  }
  for (int i = 0; i < 50; ++i) {
    own.Add(subject::arena_malloc(scene.arena, 512), 512);
    own.Add(subject::arena_malloc(scene.run, 512), 512);
  }
  own.FillAll();
  if (scene.brief != nullptr) {
    // Its units are others' now, and none may have been so before.
    subject::arena_destroy(std::exchange(scene.brief, nullptr));
    for (int i = 0; i < 40; ++i) own.Make(8192);
    own.FillAll();
  }
  scene.victims.Check("the victim's, " + when);
  scene.others.Check("another thread's, " + when);
  own.Check("the heir's, " + when);
  scene.victims.FreeAll();
  for (size_t i = 0; i < own.count; i += 2) own.Free(i);
  for (size_t i = 0; i < 60; ++i) own.Make(512);
  for (size_t i = own.count - 60; i < own.count; ++i)
    Fill(own.blocks[i], 512, i);
  own.Check("the heir's second, " + when);
  own.FreeAll();
  subject::thread_detach();
}

TEST_P(KilledTest, AtAnyInstruction) {
  const ScopedTraps traps;
  const Operation& operation = GetParam();
  const unsigned long stride = Number("KILLED_STRIDE", 0);
  const unsigned long seed = Number("KILLED_SEED", 1);
  Crew crew(1);  // the living
  auto scene = std::make_unique<Scene>();
  long steps_all = 0;
  long deaths = 0;
  size_t lost_most = 0;
  size_t spans_first = 0;
  size_t live_before = 0;
  size_t spans_before = 0;
  const size_t largest = (operation.largest + kUnit - 1) / kUnit * kUnit;
  // The first run counts the instructions.
  for (long steps = 1L << 60, next = 0;;) {
    const std::string when = std::string(operation.name) + ", instruction " +
                             std::to_string(steps) + " of " +
                             std::to_string(steps_all);
    std::atomic<int> stage{0};
    std::atomic<long> left{-1};
    const subject::ArenaOptions general = Options(subject::kGeneral);
    const subject::ArenaOptions monotonic = Options(subject::kMonotonic);
    scene->arena = subject::arena_create(&general);
    scene->run = subject::arena_create(&monotonic);
    std::thread victim([&] {
      operation.prepare(*scene);
      scene->victims.FillAll();
      stage = 1;
      while (stage == 1) std::this_thread::yield();
      left = RunFor(steps, [&] { operation.run(*scene); });
    });
    while (stage == 0) std::this_thread::yield();
    crew.Do([&](int) { operation.interfere(*scene); });
    stage = 2;
    victim.join();
    // Blocks that the victim got while it was stepped.
    for (size_t i = 0; i < scene->victims.count; ++i) {
      void* const block = scene->victims.blocks[i];
      if (block != nullptr)
        Fill(block, std::min(scene->victims.sizes[i], Held::kFilled), i);
    }
    std::thread([&] { Inherit(*scene, when); }).join();
    if (HasFatalFailure()) break;
    crew.Do([&](int) {
      scene->others.FreeAll();
      subject::thread_detach();
    });
    // Ends the children of those, too, though nobody goes on with their ends.
    subject::arena_destroy(scene->arena);
    subject::arena_destroy(scene->run);
    subject::purge();
    const subject::Stats stats = GetStats();
    if (left >= 0) {
      // It came to its end.
      if (steps_all != 0) break;
      steps_all = steps - left;
      spans_first = stats.bytes_spans;
      EXPECT_EQ(stats.blocks_live, 0u);
    } else {
      ++deaths;
      const size_t lost =
          stats.bytes_spans - std::min(stats.bytes_spans, spans_before);
      EXPECT_LE(lost, std::max(kLostAtOnceMax, largest)) << when;
      lost_most = std::max(lost_most, lost);
    }
    // What seems live is what was lost, or was not counted.
    const auto more = static_cast<ptrdiff_t>(stats.bytes_live - live_before);
    EXPECT_GE(more, 0) << when;
    EXPECT_LE(more, static_cast<ptrdiff_t>(std::max(kLostAtOnceMax, largest)))
        << when;
    live_before = stats.bytes_live;
    spans_before = stats.bytes_spans;
    next = stride != 0 ? static_cast<long>(stride) : steps_all / 3 + 1;
    steps = deaths == 0 && steps > steps_all
                ? 1 + static_cast<long>(seed * 7919 % next)
                : steps + next;
    if (steps > steps_all) break;
  }
  const size_t lost_all = spans_before - std::min(spans_before, spans_first);
  std::printf(
      "%s: %ld deaths in %ld instructions cost %zu KiB of spans in all, %zu at "
      "once\n",
      operation.name, deaths, steps_all, lost_all / kKiB, lost_most / kKiB);
  // A few deaths say nothing about an average. A block that was just being
  // freed is lost whole.
  if (deaths >= 30) {
    EXPECT_LE(lost_all, deaths * std::max(kLostOnAverageMax, largest));
  }
  // What was lost is nobody's any more, and ends with the instance.
  EXPECT_EQ(subject::shutdown(), 0);
}

INSTANTIATE_TEST_SUITE_P(All, KilledTest, testing::ValuesIn(kOperations),
                         [](const auto& operation) {
                           std::string name = operation.param.name;
                           std::replace_if(
                               name.begin(), name.end(),
                               [](char c) { return std::isalnum(c) == 0; },
                               '_');
                           return name;
                         });

}  // namespace
}  // namespace contract
