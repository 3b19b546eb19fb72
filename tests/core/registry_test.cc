#include "core/heap/registry.h"

#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "core/heap/instance.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr bool kProbes = Config::kThreadExit == ThreadExit::probe;

size_t Heaps() {
  size_t n = 0;
  for (Heap* heap = g_instance.registry.first(); heap != nullptr;
       heap = heap->next_heap)
    ++n;
  return n;
}

class RegistryTest : public InstanceTest {};

TEST_F(RegistryTest, OneHeapForEachLivingThread) {
  std::atomic<unsigned> done{0};
  std::set<Heap*> heaps;
  Heap* seen[6];
  RunThreads(6, [&](unsigned t) {
    seen[t] = CurrentHeap();
    EXPECT_EQ(CurrentHeap(), seen[t]);
    ++done;
    while (done < 6) std::this_thread::yield();
  });
  for (Heap* heap : seen) EXPECT_TRUE(heaps.insert(heap).second);
  EXPECT_EQ(Heaps(), 6u);
  std::set<HeapNumber> numbers = {0};  // nobody's
  for (Heap* heap : heaps) EXPECT_TRUE(numbers.insert(heap->number()).second);
}

TEST_F(RegistryTest, DeadThreadsHeapsAreTakenOver) {
  Heap* first = nullptr;
  std::thread([&] {
    first = CurrentHeap();
    test_malloc(100);
  }).join();
  for (int i = 0; i < 200; ++i) {
    Heap* next = nullptr;
    std::thread([&] { next = CurrentHeap(); }).join();
    ASSERT_EQ(next, first) << i;
  }
  EXPECT_EQ(Heaps(), 1u);
}

// What a dead thread allocated lives on, and can be freed by anyone; its slabs
// are used by the thread that takes its heap over.
TEST_F(RegistryTest, BlocksOfTheDeadLiveOn) {
  std::vector<void*> blocks;
  std::thread([&] {
    for (uint64_t i = 0; i < 3000; ++i) {
      blocks.push_back(test_malloc(200));
      Fill(blocks.back(), 200, i);
    }
    for (int i = 0; i < 100; ++i)
      test_free(test_malloc(64));  // and has something in its cache
  }).join();
  for (uint64_t i = 0; i < 3000; ++i) ASSERT_TRUE(IsFilled(blocks[i], 200, i));
  for (uint64_t i = 0; i < 3000; i += 2) test_free(blocks[i]);
  test_thread_detach();  // sends what is cached
  const size_t spans = Stats().bytes_spans;
  std::thread([&] {
    // As many as were freed: no new memory.
    std::vector<void*> more;
    for (int i = 0; i < 1400; ++i) more.push_back(test_malloc(200));
    EXPECT_LE(Stats().bytes_spans, spans + 2 * kUnit);
    for (uint64_t i = 1; i < 3000; i += 2) {
      ASSERT_TRUE(IsFilled(blocks[i], 200, i));
      test_free(blocks[i]);
    }
    for (void* block : more) test_free(block);
  }).join();
  EXPECT_EQ(Stats().blocks_live, 0u);
}

TEST_F(RegistryTest, AThreadWhoseIdTheHeapCarriesTakesItWithoutAsking) {
  Heap* const heap = CurrentHeap();
  ForgetHeaps(
      [](Heap*) {});  // as a new thread that was given the id of a dead one
  const fake::ScopedForbid forbid(Primitive::kThreadMayBeAlive);
  EXPECT_EQ(CurrentHeap(), heap);
}

TEST_F(RegistryTest, LivingThreadsKeepTheirs) {
  Heap* const mine = CurrentHeap();
  std::thread([&] { EXPECT_NE(CurrentHeap(), mine); }).join();
  EXPECT_EQ(CurrentHeap(), mine);
}

TEST_F(RegistryTest, WhereTheSystemDoesNotSayNobodyIsTakenForDead) {
  if (!kProbes) GTEST_SKIP() << "heaps are handed back";
  const ScopedFailures failures(Primitive::kThreadMayBeAlive,
                                Failures::Always());
  for (int i = 0; i < 5; ++i) std::thread([] { CurrentHeap(); }).join();
  EXPECT_EQ(Heaps(), 5u);
}

TEST_F(RegistryTest, DeclaredDead) {
  Heap* const mine = CurrentHeap();
  ForgetHeaps([](Heap*) {});
  {
    const fake::ScopedLife life(mine->thread(), false);
    std::thread([&] {
      EXPECT_EQ(CurrentHeap(), mine);
      test_thread_detach();
    }).join();
  }
  EXPECT_EQ(Heaps(), 1u);
}

TEST_F(RegistryTest, DetachedHeapsAreTakenOver) {
  Heap* const mine = CurrentHeap();
  test_thread_detach();
  EXPECT_EQ(mine->thread(), 0u);
  std::thread([&] { EXPECT_EQ(CurrentHeap(), mine); }).join();
}

TEST_F(RegistryTest, AsksAboutABoundedNumberOfThreads) {
  if (!kProbes) GTEST_SKIP();
  // 100 heaps of threads that live for all that is known.
  const ScopedFailures unknown(Primitive::kThreadMayBeAlive,
                               Failures::Always());
  for (int i = 0; i < 100; ++i) std::thread([] { CurrentHeap(); }).join();
  const fake::CallCounter asked(Primitive::kThreadMayBeAlive);
  std::thread([] { CurrentHeap(); }).join();
  EXPECT_EQ(asked.calls(), 64u);
}

TEST_F(RegistryTest, OthersLive) {
  EXPECT_FALSE(g_instance.registry.OthersLive(nullptr));
  CurrentHeap();
  EXPECT_FALSE(g_instance.registry.OthersLive(nullptr))
      << "oneself does not count";
  std::thread([] { CurrentHeap(); }).join();
  EXPECT_FALSE(g_instance.registry.OthersLive(nullptr)) << "nor the dead";
  std::atomic<int> step{0};
  std::thread other([&] {
    CurrentHeap();
    step = 1;
    while (step != 2) std::this_thread::yield();
    test_thread_detach();
    step = 3;
    while (step != 4) std::this_thread::yield();
  });
  while (step != 1) std::this_thread::yield();
  EXPECT_TRUE(g_instance.registry.OthersLive(nullptr));
  step = 2;
  while (step != 3) std::this_thread::yield();
  EXPECT_FALSE(g_instance.registry.OthersLive(nullptr)) << "nor those who left";
  step = 4;
  other.join();
}

TEST_F(RegistryTest, NoMemoryForAHeap) {
  {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    EXPECT_EQ(CurrentHeap(), nullptr);
    EXPECT_EQ(CurrentHeap(), nullptr);
  }
  EXPECT_NE(CurrentHeap(), nullptr);
}

// While one thread asks whether another is dead, a new one is born with the
// dead one's id and takes its heap.
struct Newborn {
  platform::ThreadId id;
  Heap* heap = nullptr;
  static void Take(void* context) {
    auto* const self = static_cast<Newborn*>(context);
    const fake::ScopedIdentity identity(self->id);
    bool adopted;
    self->heap = g_instance.registry.Acquire(&g_instance, &adopted);
  }
};

TEST_F(RegistryTest, IdsThatAreUsedAgainGiveNoHeapToTwo) {
  if (!kProbes) GTEST_SKIP();
  Newborn newborn;
  std::thread([&] {
    newborn.id = platform::CurrentThread();
    CurrentHeap();
  }).join();
  const fake::ScopedLife asked_too_early(newborn.id, false);
  const fake::ScopedHook hook(Primitive::kThreadMayBeAlive, &Newborn::Take,
                              &newborn);
  Heap* const mine = CurrentHeap();
  EXPECT_NE(newborn.heap, nullptr);
  EXPECT_NE(mine, newborn.heap);
}

TEST_F(RegistryTest, IdsThatAreUsedAgainAreNotCleanedUp) {
  if (!kProbes) GTEST_SKIP();
  CurrentHeap();
  Newborn newborn;
  Heap* heap = nullptr;
  std::thread([&] {
    newborn.id = platform::CurrentThread();
    heap = CurrentHeap();
  }).join();
  const fake::ScopedLife asked_too_early(newborn.id, false);
  const fake::ScopedHook hook(Primitive::kThreadMayBeAlive, &Newborn::Take,
                              &newborn);
  g_instance.registry.CleanUpIfDead(heap);
  EXPECT_EQ(newborn.heap, heap);
  EXPECT_EQ(heap->thread(), newborn.id) << "still its";
}

// Whoever frees the blocks of a dead thread sends them home, though no new
// thread ever comes.
TEST_F(RegistryTest, MemoryOfTheDeadComesBack) {
  CurrentHeap();  // or this thread would take the dead one's
  std::vector<void*> blocks;
  std::thread([&] {
    for (int i = 0; i < 40000; ++i) blocks.push_back(test_malloc(256));
  }).join();
  const size_t most = Stats().bytes_spans;
  EXPECT_GE(most, 40000u * 256);
  for (void* block : blocks) test_free(block);
  test_thread_detach();
  EXPECT_LT(Stats().bytes_spans, most / 2);
}

TEST_F(RegistryTest, TheLivingAreNotCleanedUp) {
  std::vector<void*> blocks(40000);
  std::atomic<int> step{0};
  Heap* theirs = nullptr;
  std::thread owner([&] {
    theirs = CurrentHeap();
    for (void*& block : blocks) block = test_malloc(256);
    step = 1;
    while (step != 2) std::this_thread::yield();
    EXPECT_EQ(CurrentHeap(), theirs);
    test_free(test_malloc(256));
  });
  while (step != 1) std::this_thread::yield();
  const platform::ThreadId id = theirs->thread();
  for (void* block : blocks) test_free(block);
  EXPECT_EQ(theirs->thread(), id);
  step = 2;
  owner.join();
}

// Numbers are few, and a thread without memory may ask often.
TEST_F(RegistryTest, FailuresCostNoNumbers) {
  // There is a range, and another thread has the heap that there is room for in it.
  std::atomic<int> step{0};
  std::thread other([&] {
    EXPECT_EQ(CurrentHeap()->number(), 1u);
    step = 1;
    while (step != 2) usleep(1000);
    fake::Farewell();
  });
  while (step != 1) usleep(100);
  {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    for (uint32_t i = 0; i <= kHeapNumberMax; ++i)
      ASSERT_EQ(CurrentHeap(), nullptr);
    EXPECT_GT(failures.failed(), kHeapNumberMax);
  }
  ASSERT_NE(CurrentHeap(), nullptr);
  EXPECT_EQ(CurrentHeap()->number(), 2u);
  step = 2;
  other.join();
}

// Threads that come and go, each taking over what others left.
TEST_F(RegistryTest, ComingAndGoing) {
  SCOPED_TRACE(Random::Seed());
  for (uint64_t round = 0; round < 40; ++round) {
    RunThreads(4, [&](unsigned t) {
      Random random(round * 4 + t);
      std::vector<void*> blocks;
      for (int i = 0; i < 300; ++i) {
        const size_t size = random.Size(12);
        blocks.push_back(test_malloc(size));
        Fill(blocks.back(), size < 16 ? size : 16, t);
        if (random.Below(3) == 0) {
          std::swap(blocks[random.Below(blocks.size())], blocks.back());
          test_free(blocks.back());
          blocks.pop_back();
        }
      }
      if (random.Below(2) == 0) test_thread_detach();
      for (void* block : blocks) test_free(block);
    });
  }
  EXPECT_LE(Heaps(), 8u);
  EXPECT_EQ(Stats().blocks_live, 0u);
}

// Whoever forks without a heap gets one in the child that says nothing about the
// others: but it is the child's only thread.
TEST_F(RegistryTest, AChildOfAThreadWithoutAHeapIsAlone) {
  std::atomic<int> stage{0};
  std::thread living([&] {
    test_free(test_malloc(1));
    stage = 1;
    while (stage == 1) platform::Yield();
  });
  while (stage == 0) platform::Yield();
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    test_free(test_malloc(100));
    _exit(test_shutdown() == 0 && fake::MappedBytes() == 0 ? 0 : 1);
  }
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "it takes threads for living that are not there";
  test_free(test_malloc(100));
  EXPECT_NE(test_shutdown(), 0) << "here they live";
  stage = 2;
  living.join();
}

// In a new pid namespace, say. The thread that forked is the child's first one,
// and has another id than the one under which it has its heap.
TEST_F(RegistryTest, AChildOfItsParentsIdGivesNobodyTheHeapOfItsFirstThread) {
  constexpr platform::ProcessId kProcess = 100;
  const fake::ScopedProcess process(kProcess);
  std::thread([] {
    const fake::ScopedIdentity identity(107);
    Heap* const had = CurrentHeap();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const fake::ScopedIdentity first(kProcess);
      bool taken = CurrentHeap() != had;
      // One with that id, one that asks whether it lives, and one that cleans up.
      const fake::ScopedLife life(107, false);
      const fake::ScopedLife own_life(kProcess, true);
      for (const platform::ThreadId thread : {107u, 108u}) {
        std::thread([&] {
          const fake::ScopedIdentity other(thread);
          taken = taken || CurrentHeap() == had;
          test_purge();
        }).join();
      }
      _exit(taken || had->thread() != kProcess ? 1 : 0);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    test_thread_detach();
    fake::Farewell();
  }).join();
}

// Once the thread that forked has called, and what it had is the child's.
TEST_F(RegistryTest, AChildTakesOverWhatItsParentsOtherThreadsHad) {
  Heap* const own = CurrentHeap();
  void* const kept = test_malloc(100);
  std::atomic<Heap*> others{nullptr};
  std::vector<void*> blocks;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) blocks.push_back(test_malloc(100));
    Heap* const heap = CurrentHeap();
    others = heap;
    while (others == heap) usleep(1000);
    fake::Farewell();
  });
  while (others == nullptr) usleep(100);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Heap* const dead = others;
    Registry& registry = g_instance.registry;
    bool early = false;
    std::thread([&] { early = registry.TakeIfDead(dead); }).join();
    if (early || registry.TakeIfDead(dead)) _exit(1);
    for (void* const block : blocks) test_free(block);
    test_purge();
    if (own->thread() != static_cast<platform::ThreadId>(getpid())) _exit(2);
    if (!registry.TakeIfDead(dead)) _exit(3);
    registry.LeaveTaken(dead);
    std::thread([&] {
      if (registry.TakeIfDead(own) || CurrentHeap() == own) early = true;
      test_thread_detach();
    }).join();
    if (early) _exit(4);
    test_free(kept);
    if (Stats().blocks_live != 0) _exit(5);
    _exit(test_shutdown() == 0 ? 0 : 6);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  others = nullptr;
  other.join();
  for (void* const block : blocks) test_free(block);
  test_free(kept);
}

TEST_F(RegistryTest, OnlyASecondThreadNeedsAPageThatForkWipes) {
  const fake::CallCounter pages(Primitive::kMapWipedByFork);
  {
    const fake::ScopedIdentity first(platform::CurrentProcess());
    test_free(test_malloc(100));
    test_thread_detach();
    test_free(test_malloc(100));
    test_thread_detach();
  }
  EXPECT_EQ(pages.calls(), Config::kBackgroundPurge ? 1u : 0u);
  const size_t before = Stats().bytes_metadata;
  RunThreads(4, [](unsigned) { test_free(test_malloc(100)); });
  EXPECT_GE(pages.calls(), 1u);
  EXPECT_GE(Stats().bytes_metadata, before + platform::PageSize());
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
