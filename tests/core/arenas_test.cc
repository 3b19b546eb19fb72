#include "core/arena/arenas.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <set>

#include "tests/core/arenas.h"
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

// Says which line the process is about to end with; numbers and addresses are
// known to it alone.
void Announced(const std::string& words) {
  fprintf(stderr, "expected: %s\n", words.c_str());
}
std::string Address(const void* address) {
  char text[32];
  snprintf(text, sizeof(text), "%p", address);
  return text;
}
// Standard error of a process that called Announced and then stopped with that
// line and no other word.
auto AsAnnounced() {
  return testing::Truly([](const std::string& text) {
    const std::string before = "expected: ";
    if (text.compare(0, before.size(), before) != 0) return false;
    const size_t end = text.find('\n');
    if (end == std::string::npos) return false;
    const std::string words = text.substr(before.size(), end - before.size());
    return text == before + words + "\nalcove[test_]: " + words + "\n";
  });
}
#define EXPECT_STOP(statement) \
  EXPECT_EXIT(statement, testing::KilledBySignal(SIGABRT), AsAnnounced())

class ArenasTest : public ArenaInstanceTest {
 protected:
  static ArenaHandle Named(const char* name) {
    ArenaOptions options;
    options.name = name;
    return Create(options);
  }
  static std::string NumberOf(ArenaHandle handle) {
    return std::to_string(handle >> kArenaPlaceBits);
  }
  static std::string Gone(ArenaHandle handle, const std::string& name = "") {
    return "use of arena " + NumberOf(handle) +
           (name.empty() ? "" : " (" + name + ")") + ", which is gone";
  }
};

// ---- Handles ----

TEST_F(ArenasTest, HandlesAreNeverEqual) {
  std::vector<std::vector<ArenaHandle>> handles(4);
  RunThreads(4, [&](unsigned t) {
    Random random(t);
    std::vector<ArenaHandle> living;
    for (int i = 0; i < 3000; ++i) {
      living.push_back(Create());
      handles[t].push_back(living.back());
      while (living.size() > random.Below(8)) {
        std::swap(living[random.Below(living.size())], living.back());
        Destroy(living.back());
        living.pop_back();
      }
    }
    for (const ArenaHandle handle : living) Destroy(handle);
  });
  std::set<ArenaHandle> all;
  for (const auto& of_thread : handles) {
    for (const ArenaHandle handle : of_thread) {
      ASSERT_NE(handle, 0u);
      ASSERT_TRUE(all.insert(handle).second);
    }
  }
  EXPECT_EQ(g_arenas.Count(), 0u);
}

TEST_F(ArenasTest, NoNumberIsGivenAgainAfterShutdown) {
  const ArenaHandle before = Create();
  Allocate(before, 10);
  ASSERT_EQ(test_shutdown(), 0);
  for (int i = 0; i < 200; ++i) {
    const ArenaHandle handle = Create();
    ASSERT_GT(handle >> kArenaPlaceBits, before >> kArenaPlaceBits);
    Destroy(handle);
  }
}

TEST_F(ArenasTest, AHandleIsResolvedToItsArena) {
  std::vector<ArenaHandle> handles;
  for (int i = 0; i < 100; ++i) handles.push_back(Create());
  for (const ArenaHandle handle : handles) {
    Arena* const arena = g_arenas.Resolve(handle);
    EXPECT_EQ(arena->place, PlaceOfHandle(handle));
    EXPECT_EQ(arena->number.Load(Order::kRelaxed), handle >> kArenaPlaceBits);
    EXPECT_EQ(g_arenas.at(arena->place), arena);
  }
  for (const ArenaHandle handle : handles) Destroy(handle);
}

TEST_F(ArenasTest, HandlesThatNeverWereStop) {
  EXPECT_STOP({
    Announced("use of an arena that never was, 0x0");
    g_arenas.Resolve(0);
  });
  EXPECT_STOP({
    Create();
    Announced("use of an arena that never was, 0x0");
    g_arenas.Resolve(0);
  });
  // An address, say.
  EXPECT_STOP({
    Create();
    Announced("use of an arena that never was, 0x7f0012345678");
    g_arenas.Resolve(0x7f0012345678);
  });
  // A number without a place, and a place without a number.
  EXPECT_STOP({
    Create();
    Announced("use of an arena that never was, 0x10000");
    g_arenas.Resolve(0x10000);
  });
  EXPECT_STOP({
    Create();
    Announced("use of an arena that never was, 0x1");
    g_arenas.Resolve(1);
  });
  // A number that was given, with a place that nobody has yet, and the last.
  EXPECT_STOP({
    const ArenaHandle handle = Create();
    Announced(Gone(handle));
    g_arenas.Resolve(handle + 100);
  });
  EXPECT_STOP({
    const ArenaHandle handle = Create();
    Announced(Gone(handle));
    g_arenas.Resolve(handle | kArenasMax);
  });
}

// Neither a heap that has retired nor one without a fast path fits none.
TEST_F(ArenasTest, NoneIsNotFoundInTheSlots) {
  for (const size_t alignment : {8, 64}) {
    EXPECT_STOP({
      ArenaOptions options;
      options.alignment = alignment;
      std::vector<ArenaHandle> handles;
      for (int i = 0; i < 40; ++i) {
        handles.push_back(Create(options));
        Allocate(handles.back(), 64);
      }
      if (alignment == 8) {
        for (const ArenaHandle handle : handles) Destroy(handle);
      }
      Announced("use of an arena that never was, 0x0");
      test_arena_malloc(nullptr, 64);
    });
  }
}

TEST_F(ArenasTest, HandlesOfGoneArenasStop) {
  EXPECT_STOP({
    const ArenaHandle handle = Create();
    Destroy(handle);
    Announced(Gone(handle));
    g_arenas.Resolve(handle);
  });
  EXPECT_STOP({
    const ArenaHandle handle = Named("request");
    Destroy(handle);
    Announced(Gone(handle, "request"));
    Destroy(handle);
  });
  EXPECT_STOP({
    const ArenaHandle handle = Named("request");
    Allocate(handle, 10);
    Destroy(handle);
    Announced(Gone(handle, "request"));
    HeapIn(handle);
  });
  EXPECT_STOP({
    const ArenaHandle handle = Named("request");
    Destroy(handle);
    Announced(Gone(handle, "request"));
    g_arenas.Reset(CurrentHeap(), handle);
  });
  EXPECT_STOP({
    const ArenaHandle handle = Named("parent");
    Destroy(handle);
    Announced(Gone(handle, "parent"));
    CreateChild(handle);
  });
  EXPECT_STOP({
    const ArenaHandle handle = Named("first");
    Allocate(handle, 10);
    test_shutdown();
    Announced(Gone(handle));
    g_arenas.Resolve(handle);
  });
}

TEST_F(ArenasTest, OfTwoThreadsThatDestroyOneStops) {
  EXPECT_STOP({
    const ArenaHandle handle = Named("twice");
    Announced(Gone(handle, "twice"));
    RunThreads(2, [&](unsigned) { Destroy(handle); });
    _exit(1);
  });
}

// ---- Names of the dead ----

TEST_F(ArenasTest, NamesAreKnownAfterTheObjectWasUsedAgain) {
  EXPECT_STOP({
    const ArenaHandle first = Named("first");
    Destroy(first);
    const ArenaHandle second = Named("second");
    if (PlaceOfHandle(first) != PlaceOfHandle(second)) _exit(1);
    Announced(Gone(first, "first"));
    g_arenas.Resolve(first);
  });
  EXPECT_STOP({
    const ArenaHandle first = Named("first");
    Destroy(first);
    for (int i = 0; i < 250; ++i) Destroy(Named("another"));
    const ArenaHandle last = Create();
    Destroy(last);
    Create();
    Announced(Gone(first, "first"));
    g_arenas.Resolve(first);
  });
  // It had no name, and gets none of another.
  EXPECT_STOP({
    const ArenaHandle first = Create();
    Destroy(first);
    Destroy(Named("second"));
    Announced(Gone(first));
    g_arenas.Resolve(first);
  });
}

TEST_F(ArenasTest, OnlyTheLastNamesAreKnown) {
  EXPECT_STOP({
    const ArenaHandle first = Named("first");
    Destroy(first);
    for (int i = 0; i < 256; ++i) Destroy(Named("another"));
    Announced(Gone(first));
    g_arenas.Resolve(first);
  });
}

TEST_F(ArenasTest, BlocksOfGoneArenasStop) {
  for (const size_t size : {10, 10000, 200000}) {
    for (const bool monotonic : {false, true}) {
      ArenaOptions options;
      options.name = "request";
      options.monotonic = monotonic;
      const auto announce = [](const char* what, const void* block,
                               ArenaHandle handle) {
        Announced(what + Address(block) + ", a block of arena " +
                  NumberOf(handle) + " (request), which is gone");
      };
      EXPECT_STOP({
        const ArenaHandle handle = Create(options);
        char* const block = Allocate(handle, size);
        Destroy(handle);
        announce("free of ", block, handle);
        test_free(block);
      });
      // The arena's place was used again, and something of it is cached.
      EXPECT_STOP({
        const ArenaHandle handle = Create(options);
        char* const block = Allocate(handle, size);
        Destroy(handle);
        Named("another");
        announce("size or realloc asked of ", block, handle);
        test_malloc_usable_size(block);
      });
      EXPECT_STOP({
        const ArenaHandle handle = Create(options);
        char* const block = Allocate(handle, size);
        Destroy(handle);
        announce("size or realloc asked of ", block, handle);
        free(test_realloc(block, 100));
      });
    }
  }
}

TEST_F(ArenasTest, NamesAreCopiedAndCut) {
  char name[] = "0123456789012345678901234567890123456789";
  const ArenaHandle handle = Named(name);
  name[0] = 'x';
  char kept[kArenaNameBytes];
  memcpy(kept, static_cast<void*>(At(handle)->name), sizeof(kept));
  EXPECT_STREQ(kept, "0123456789012345678901234567890");
  Destroy(handle);
  EXPECT_STOP({
    const ArenaHandle other = Named("0123456789012345678901234567890123456789");
    Destroy(other);
    Announced(Gone(other, "0123456789012345678901234567890"));
    g_arenas.Resolve(other);
  });
}

TEST_F(ArenasTest, NameInALine) {
  EXPECT_STOP({
    const ArenaHandle handle = Named("living");
    Announced("arena " + NumberOf(handle) + " (living)");
    TextLine line;
    g_arenas.Name(&line, handle >> kArenaPlaceBits, At(handle)->place);
    line.Stop();
  });
}

// ---- Objects ----

TEST_F(ArenasTest, AThreadKeepsTheLastOnes) {
  std::vector<ArenaHandle> handles;
  for (unsigned i = 0; i < 6; ++i) handles.push_back(Create());
  std::vector<Arena*> objects;
  for (const ArenaHandle handle : handles) objects.push_back(At(handle));
  for (const ArenaHandle handle : handles) Destroy(handle);
  // Four of them, the last one first.
  std::vector<ArenaHandle> again;
  for (unsigned i = 0; i < ThreadArenas::kKeptMax; ++i) {
    again.push_back(Create());
    EXPECT_EQ(At(again.back()), objects[ThreadArenas::kKeptMax - 1 - i]);
  }
  // The others are anybody's.
  std::thread([&] {
    std::set<Arena*> others;
    const ArenaHandle a = Create();
    const ArenaHandle b = Create();
    EXPECT_EQ((std::set<Arena*>{At(a), At(b)}),
              (std::set<Arena*>{objects[4], objects[5]}));
    Destroy(a);
    Destroy(b);
    test_thread_detach();
    fake::Farewell();
  }).join();
  for (const ArenaHandle handle : again) Destroy(handle);
}

TEST_F(ArenasTest, AKeptArenaIsAsANewOne) {
  ArenaOptions all;
  const ArenaHandle parent = Create();
  all.name = "all";
  all.parent = parent;
  all.hard_quota = 5 * kUnit;
  all.soft_quota = 2 * kUnit;
  all.on_soft_quota = [] {};
  all.context = &all;
  all.alignment = 64;
  all.reserve = 3 * kUnit;
  all.monotonic = true;
  const ArenaHandle first = Create(all);
  Arena* const object = At(first);
  EXPECT_EQ(parent, object->parent_handle.Load(Order::kRelaxed));
  EXPECT_EQ(object->quota.hard(), 5 * kUnit);
  EXPECT_EQ(object->quota.soft(), 2 * kUnit);
  EXPECT_EQ(object->alignment, 64u);
  while (Allocate(first, 1000) != nullptr) {
  }
  EXPECT_EQ(HeldUnits(parent), HeldUnits(first));
  EXPECT_EQ(At(parent)->children.Load(Order::kRelaxed), 1u);
  Destroy(first);
  EXPECT_EQ(HeldUnits(parent), 0u);
  EXPECT_EQ(At(parent)->children.Load(Order::kRelaxed), 0u);
  const ArenaHandle second = Create();
  ASSERT_EQ(At(second), object);
  EXPECT_EQ(object->name[0].Load(Order::kRelaxed), 0u);
  EXPECT_EQ(object->parent, nullptr);
  EXPECT_EQ(object->parent_handle.Load(Order::kRelaxed), 0u);
  EXPECT_EQ(object->quota.hard(), 0u);
  EXPECT_EQ(object->quota.soft(), 0u);
  EXPECT_EQ(object->quota.held(), 0u);
  EXPECT_EQ(object->quota.peak(), 0u);
  EXPECT_EQ(object->on_soft_quota, nullptr);
  EXPECT_EQ(object->alignment, 0u);
  EXPECT_EQ(object->reserve_range, nullptr);
  EXPECT_FALSE(object->monotonic);
  EXPECT_FALSE(object->counted());
  // Its heap, too.
  ASSERT_NE(object->heaps.Load(Order::kRelaxed), nullptr);
  EXPECT_EQ(HeapIn(second), object->heaps.Load(Order::kRelaxed));
  EXPECT_TRUE(HeapIn(second)->Serves(second));
  char* const block = Allocate(second, 10);
  EXPECT_EQ(InfoOf(ClassOfSize(10)).size, test_malloc_usable_size(block));
  EXPECT_EQ(Allocate(second, 10), block + 16)
      << "no run, and not aligned to 64";
  Destroy(second);
  Destroy(parent);
}

TEST_F(ArenasTest, HeapForIsTheThreadsOwn) {
  // More arenas than slots.
  std::vector<ArenaHandle> handles;
  std::vector<ArenaHeap*> heaps;
  for (unsigned i = 0; i < 3 * ThreadArenas::kSlots; ++i) {
    handles.push_back(Create());
    heaps.push_back(HeapIn(handles.back()));
    EXPECT_EQ(heaps.back()->home(), CurrentHeap());
    EXPECT_EQ(heaps.back()->handle(), handles.back());
    EXPECT_EQ(heaps.back()->arena(), At(handles.back()));
  }
  for (size_t i = 0; i < handles.size(); ++i)
    EXPECT_EQ(HeapIn(handles[i]), heaps[i]);
  std::thread([&] {
    for (size_t i = 0; i < handles.size(); ++i) {
      EXPECT_NE(HeapIn(handles[i]), heaps[i]);
      EXPECT_EQ(HeapIn(handles[i]), HeapIn(handles[i]));
    }
    fake::Farewell();
  }).join();
  for (const ArenaHandle handle : handles) Destroy(handle);
}

TEST_F(ArenasTest, HeapsGoHomeThoughAnotherThreadDestroys) {
  std::atomic<int> step{0};
  ArenaHandle handle = Create();
  CurrentHeap();
  const auto wait = [&](int n) {
    while (step != n) std::this_thread::yield();
  };
  std::thread other([&] {
    Allocate(handle, 10);
    ArenaHeap* const mine = HeapIn(handle);
    step = 1;
    wait(2);
    // Again, and again, without any new one.
    for (int i = 0; i < 20; ++i) {
      const fake::ScopedForbid forbid(Primitive::kMap);
      const size_t mapped = g_arenas.mapped();
      ASSERT_EQ(HeapIn(handle), mine);
      Allocate(handle, 10);
      step = 1;
      wait(2);
      ASSERT_EQ(g_arenas.mapped(), mapped);
    }
    step = 3;
    fake::Farewell();
  });
  while (step != 3) {
    while (step == 2) std::this_thread::yield();
    if (step == 3) break;
    wait(1);
    Destroy(handle);
    handle = Create();
    step = 2;
    while (step == 2) std::this_thread::yield();
  }
  other.join();
  Destroy(handle);
}

TEST_F(ArenasTest, WithoutAHeapAllGoesToOthers) {
  const ArenaHandle handle = Create();
  Allocate(handle, 10);
  ArenaHeap* const heap = HeapIn(handle);
  Arena* const object = At(handle);
  g_arenas.Destroy(nullptr, handle);
  ExpectUsed(0);
  const ArenaHandle again = Create();
  EXPECT_EQ(At(again), object);
  EXPECT_EQ(object->heaps.Load(Order::kRelaxed), nullptr);
  EXPECT_EQ(HeapIn(again), heap) << "it went home";
  Destroy(again);
}

// Whoever takes over a thread's heap has its heaps of arenas with it.
TEST_F(ArenasTest, HeapsOfArenasAreTakenOver) {
  const ArenaHandle handle = Create();
  ArenaHeap* const heap = HeapIn(handle);
  char* const block = Allocate(handle, 1000);
  test_thread_detach();
  std::thread([&] {
    EXPECT_EQ(HeapIn(handle), heap);
    EXPECT_EQ(Allocate(handle, 1000), block + 1024);
    test_free(block);
    EXPECT_EQ(
        At(handle)->freed_remotely[ClassOfSize(1000)].Load(Order::kRelaxed), 0u)
        << "its own";
    test_thread_detach();
    fake::Farewell();
  }).join();
  Destroy(handle);
}

TEST_F(ArenasTest, ComingAndGoingCallsThePlatformForNothing) {
  if (Config::kArenaQuarantine != 0) GTEST_SKIP() << "which takes calls";
  const auto cycle = [](bool monotonic, size_t size) {
    ArenaOptions options;
    options.monotonic = monotonic;
    options.name = "request";
    const ArenaHandle handle = Create(options);
    memset(Allocate(handle, size), 1, size);
    test_free(Allocate(handle, size));
    Destroy(handle);
  };
  for (int i = 0; i < 100; ++i) cycle(i % 2 == 0, 100);
  std::vector<std::unique_ptr<fake::ScopedForbid>> forbids;
  for (unsigned i = 0; i < fake::kPrimitives; ++i)
    forbids.push_back(
        std::make_unique<fake::ScopedForbid>(static_cast<Primitive>(i)));
  for (int i = 0; i < 10000; ++i) cycle(i % 2 == 0, 100);
}

TEST_F(ArenasTest, NothingGrowsOverManyCycles) {
  size_t mapped = 0;
  size_t used = 0;
  for (uint64_t round = 0; round < 300; ++round) {
    Random random(round % 10);
    const ArenaHandle parent = Create();
    for (int i = 0; i < 5; ++i) {
      const ArenaHandle child = CreateChild(parent);
      for (int k = 0; k < 20; ++k) Allocate(child, random.Size(18));
      if (i % 2 == 0) Destroy(child);
    }
    Destroy(parent);
    if (round == 20) {
      mapped = g_arenas.mapped();
      used = UsedUnits();
    }
  }
  EXPECT_EQ(g_arenas.mapped(), mapped);
  if (Config::kArenaQuarantine == 0) {
    EXPECT_LE(UsedUnits(), Max(used, 16));
  }
}

// A small monotonic arena leaves its unit to the next one, if that is
// monotonic, and to everybody else when asked.
TEST_F(ArenasTest, AUnitThatRests) {
  if (Config::kArenaQuarantine != 0) GTEST_SKIP();
  const auto cycle = [](bool monotonic, const char* expected) {
    ArenaOptions options;
    options.monotonic = monotonic;
    options.hard_quota = 2 * kUnit;
    const ArenaHandle handle = Create(options);
    EXPECT_EQ(HeldUnits(handle), 0u);
    char* const block = Allocate(handle, 100, 8, true);
    EXPECT_TRUE(IsZero(block, 100));
    if (expected != nullptr) {
      EXPECT_EQ(block, expected);
    }
    memset(block, 1, 100);
    EXPECT_EQ(HeldUnits(handle), 1u) << "it is charged like any other";
    EXPECT_EQ(LedgerUnits(handle), 1u);
    EXPECT_EQ(test_arena_of(block), reinterpret_cast<test_arena*>(handle));
    Destroy(handle);
    EXPECT_EQ(test_arena_of(block), nullptr);
    return block;
  };
  const char* const unit = cycle(true, nullptr);
  for (int i = 0; i < 10; ++i) cycle(true, unit);
  EXPECT_EQ(UsedUnits(), 1u);
  // Nothing was allocated in between.
  Destroy(CreateMonotonic());
  cycle(true, unit);
  cycle(false, nullptr);
  cycle(true, nullptr);
  test_purge();
  EXPECT_EQ(UsedUnits(), 0u);
  cycle(true, nullptr);
  g_arenas.Trim(CurrentHeap());
  CurrentHeap()->DrainSpans();
  EXPECT_EQ(UsedUnits(), 0u);
  cycle(true, nullptr);
  test_thread_detach();
  EXPECT_EQ(UsedUnits(), 0u);
}

TEST_F(ArenasTest, WhatOfTheDeadRestsIsTrimmed) {
  std::thread([&] {
    const ArenaHandle handle = CreateMonotonic();
    Allocate(handle, 100);
    Destroy(handle);
    fake::Farewell();
  }).join();
  g_arenas.TrimDead();
  ExpectUsed(0);
}

// Whose blocks are freed late is known for so many departures.
TEST_F(ArenasTest, TheQuarantineKeepsUnitsOutOfUse) {
  if (Config::kArenaQuarantine == 0) GTEST_SKIP();
  EXPECT_STOP({
    const ArenaHandle first = Named("first");
    char* const block = Allocate(first, 100);
    Destroy(first);
    for (size_t i = 1; i < Config::kArenaQuarantine; ++i) {
      const ArenaHandle other = Create();
      if (Allocate(other, 100) == block) _exit(1);
      Destroy(other);
    }
    for (int i = 0; i < 1000; ++i) test_malloc(1000);
    Announced("free of " + Address(block) + ", a block of arena " +
              NumberOf(first) + " (first), which is gone");
    test_free(block);
  });
  // And for no more.
  for (size_t i = 0; i < 3 * Config::kArenaQuarantine; ++i) {
    const ArenaHandle other = Create();
    Allocate(other, 100);
    Destroy(other);
    ASSERT_LE(UsedUnits(), Config::kArenaQuarantine + 1);
  }
}

// ---- Children ----

TEST_F(ArenasTest, ChildrenEndWithTheirParentAtAnyDepth) {
  for (const unsigned depth : {1u, 2u, 10u, kLevelsMax - 1}) {
    std::vector<ArenaHandle> chain = {Create()};
    for (unsigned i = 0; i < depth; ++i) {
      chain.push_back(CreateChild(chain.back()));
      Allocate(chain.back(), 100);
    }
    EXPECT_EQ(g_arenas.Count(), depth + 1);
    EXPECT_EQ(HeldUnits(chain[0]), depth);
    Destroy(chain[0]);
    EXPECT_EQ(g_arenas.Count(), 0u);
  }
}

// So that neither ends nor charges take long, and no stack is too short.
TEST_F(ArenasTest, NestingIsBounded) {
  std::vector<ArenaHandle> chain = {Create()};
  for (unsigned i = 1; i < kLevelsMax; ++i) {
    chain.push_back(CreateChild(chain.back()));
    ASSERT_NE(chain.back(), 0u) << i;
  }
  EXPECT_EQ(CreateChild(chain.back()), 0u);
  EXPECT_EQ(At(chain.back())->children.Load(Order::kRelaxed), 0u);
  EXPECT_NE(CreateChild(chain[kLevelsMax - 2]), 0u);
  Destroy(chain[0]);
}

TEST_F(ArenasTest, AWholeTreeEnds) {
  Random random;
  const ArenaHandle bystander = Create();
  Allocate(bystander, 10);
  std::vector<ArenaHandle> tree = {Create()};
  for (int i = 0; i < 200; ++i) {
    tree.push_back(CreateChild(tree[random.Below(tree.size())]));
    if (random.Below(2) == 0) Allocate(tree.back(), random.Size(18));
  }
  size_t direct = 0;
  for (const ArenaHandle handle : tree)
    direct += At(handle)->children.Load(Order::kRelaxed);
  EXPECT_EQ(direct, 200u);
  EXPECT_EQ(g_arenas.Count(), 202u);
  // A subtree.
  Destroy(tree[1]);
  const size_t left = g_arenas.Count();
  EXPECT_LE(left, 201u);
  size_t held = 0;
  for (const ArenaHandle handle : tree) {
    const Arena* const arena =
        g_arenas.at(static_cast<HeapNumber>(PlaceOfHandle(handle)));
    if (arena->handle.Load(Order::kRelaxed) == handle)
      held += LedgerUnits(handle);
  }
  EXPECT_EQ(HeldUnits(tree[0]), held);
  Destroy(tree[0]);
  EXPECT_EQ(g_arenas.Count(), 1u);
  Destroy(bystander);
}

TEST_F(ArenasTest, AChildThatEndedWithItsParentIsGone) {
  EXPECT_STOP({
    const ArenaHandle parent = Create();
    ArenaOptions options;
    options.name = "child";
    options.parent = parent;
    const ArenaHandle child = Create(options);
    Destroy(parent);
    Announced(Gone(child, "child"));
    g_arenas.Resolve(child);
  });
  EXPECT_STOP({
    const ArenaHandle parent = Create();
    ArenaOptions options;
    options.name = "child";
    options.parent = parent;
    const ArenaHandle child = Create(options);
    g_arenas.Reset(CurrentHeap(), parent);
    Announced(Gone(child, "child"));
    g_arenas.Resolve(child);
  });
}

TEST_F(ArenasTest, OtherThreadsMakeAndEndChildren) {
  const ArenaHandle parent = Create();
  RunThreads(4, [&](unsigned t) {
    Random random(t);
    std::vector<ArenaHandle> mine;
    for (int i = 0; i < 2000; ++i) {
      mine.push_back(CreateChild(
          mine.empty() || random.Below(2) == 0 ? parent : mine.back()));
      Allocate(mine.back(), random.Size(15));
      Allocate(parent, random.Size(12));
      while (mine.size() > random.Below(6)) {
        Destroy(mine.back());
        mine.pop_back();
      }
    }
    // The rest is the parent's to end.
  });
  size_t children = 0;
  for (HeapNumber place = 1; g_arenas.at(place) != nullptr; ++place) {
    const Arena* const arena = g_arenas.at(place);
    if (arena->handle.Load(Order::kRelaxed) != 0)
      children += arena->children.Load(Order::kRelaxed);
  }
  EXPECT_EQ(g_arenas.Count(), 1 + children);
  Destroy(parent);
  EXPECT_EQ(g_arenas.Count(), 0u);
}

// It has no handle any more, so the parent cannot end it, but its end needs the
// parent still.
TEST_F(ArenasTest, AChildThatAnotherThreadIsJustEndingIsWaitedFor) {
  for (int round = 0; round < 300; ++round) {
    const ArenaHandle parent = Create();
    const ArenaHandle child = CreateChild(parent);
    Allocate(child, 100000);
    Arena* const object = At(child);
    std::atomic<bool> begun{false};
    std::thread ender([&] {
      begun = true;
      Destroy(child);
      fake::Farewell();
    });
    while (object->handle.Load(Order::kAcquire) == child)
      std::this_thread::yield();
    Destroy(parent);
    ASSERT_EQ(object->handle.Load(Order::kRelaxed), 0u);
    ender.join();
    ASSERT_EQ(g_arenas.Count(), 0u);
    ASSERT_TRUE(begun);
  }
}

// ---- Reset ----

TEST_F(ArenasTest, ResetEndsBlocksAndChildrenAndNothingElse) {
  ArenaOptions options;
  options.hard_quota = 20 * kUnit;
  const ArenaHandle parent = Create();
  options.parent = parent;
  const ArenaHandle handle = Create(options);
  for (int round = 0; round < 10; ++round) {
    const ArenaHandle child = CreateChild(handle);
    Allocate(child, 100);
    for (const size_t size : {10, 100, 3000, 200000}) {
      char* const block = Allocate(handle, size, 8, true);
      ASSERT_TRUE(IsZero(block, size));
      memset(block, 1, size);
    }
    std::thread([&] {
      ASSERT_NE(Allocate(handle, 10), nullptr);
      fake::Farewell();
    }).join();
    EXPECT_EQ(HeldUnits(parent), HeldUnits(handle));
    g_arenas.Reset(CurrentHeap(), handle);
    EXPECT_EQ(g_arenas.Count(), 2u);
    EXPECT_EQ(HeldUnits(handle), 0u);
    EXPECT_EQ(HeldUnits(parent), 0u);
    EXPECT_EQ(LedgerUnits(handle), 0u);
    EXPECT_EQ(At(handle)->quota.peak(), 0u);
    EXPECT_EQ(At(handle)->quota.hard(), 20 * kUnit);
    EXPECT_TRUE(HeapIn(handle)->Serves(handle));
  }
  Destroy(parent);
}

TEST_F(ArenasTest, HeapsOfOtherThreadsServeOnAfterAReset) {
  const ArenaHandle handle = CreateMonotonic();
  std::atomic<int> step{0};
  std::thread other([&] {
    for (int i = 0; i < 10; ++i) {
      char* const block = Allocate(handle, 100);
      EXPECT_EQ(AddressOf(block) % kUnit, 0u) << "a new run";
      EXPECT_TRUE(HeapIn(handle)->Serves(handle));
      ++step;
      while (step % 2 != 0) std::this_thread::yield();
    }
    fake::Farewell();
  });
  for (int i = 0; i < 10; ++i) {
    while (step % 2 == 0) std::this_thread::yield();
    g_arenas.Reset(CurrentHeap(), handle);
    ++step;
  }
  other.join();
  Destroy(handle);
}

// ---- Soft quotas ----

struct Called {
  std::vector<std::pair<ArenaHandle, size_t>> calls;
  static void Note(SoftQuotaCallback callback, ArenaHandle handle, size_t bytes,
                   void* context) {
    callback();
    static_cast<Called*>(context)->calls.push_back({handle, bytes});
  }
};

TEST_F(ArenasTest, CallBackCallsForEachCrossingFromTheArenaUp) {
  static int calls;
  calls = 0;
  Called called;
  ArenaOptions options;
  options.on_soft_quota = [] { ++calls; };
  options.context = &called;
  options.soft_quota = 3 * kUnit;
  const ArenaHandle top = Create(options);
  options.parent = top;
  options.soft_quota = 1 * kUnit;
  const ArenaHandle bottom = Create(options);
  Allocate(bottom, 2 * kUnit);
  const auto call_back = [&] {
    g_arenas.CallBack(At(bottom), HeapIn(bottom)->TakeCrossed(), Called::Note);
  };
  call_back();
  EXPECT_EQ(called.calls,
            (std::vector<std::pair<ArenaHandle, size_t>>{{bottom, 2 * kUnit}}));
  call_back();
  EXPECT_EQ(calls, 1);
  // Both at once.
  called.calls.clear();
  At(bottom)->Uncharge(2);
  uint64_t crossed;
  At(bottom)->Charge(4, &crossed);
  EXPECT_EQ(crossed, 3u) << "a bit for each level";
  g_arenas.CallBack(At(bottom), crossed, Called::Note);
  EXPECT_EQ(called.calls, (std::vector<std::pair<ArenaHandle, size_t>>{
                              {bottom, 4 * kUnit}, {top, 4 * kUnit}}));
  EXPECT_EQ(calls, 3);
  At(bottom)->Uncharge(2);
  Destroy(top);
}

TEST_F(ArenasTest, WithoutAFunctionNothingIsCalled) {
  ArenaOptions options;
  options.soft_quota = 1;
  const ArenaHandle handle = Create(options);
  Allocate(handle, 10);
  Called called;
  const uint64_t crossed = HeapIn(handle)->TakeCrossed();
  EXPECT_EQ(crossed, 1u);
  g_arenas.CallBack(At(handle), crossed, Called::Note);
  EXPECT_TRUE(called.calls.empty());
  EXPECT_EQ(HeapIn(handle)->TakeCrossed(), 0u) << "each is taken once";
  Destroy(handle);
}

// ---- Bounds ----

TEST_F(ArenasTest, Count) {
  EXPECT_EQ(g_arenas.Count(), 0u);
  std::vector<ArenaHandle> handles;
  for (size_t i = 0; i < 50; ++i) {
    handles.push_back(Create());
    EXPECT_EQ(g_arenas.Count(), i + 1);
  }
  for (size_t i = 50; i-- > 0;) {
    Destroy(handles[i]);
    EXPECT_EQ(g_arenas.Count(), i);
  }
}

TEST_F(ArenasTest, ReleaseUnmapsAll) {
  CurrentHeap();
  const int64_t before = fake::MappedBytes();
  for (int round = 0; round < 3; ++round) {
    const ArenaHandle handle = Create();
    for (int i = 0; i < 1000; ++i) Create();
    EXPECT_EQ(g_arenas.Count(), 1001u);
    EXPECT_GT(g_arenas.mapped(), 1000 * sizeof(Arena));
    EXPECT_LE(static_cast<int64_t>(g_arenas.mapped()),
              fake::MappedBytes() - before);
    ASSERT_NE(handle, 0u);
    // What threads keep is in their heaps, which go, too.
    ASSERT_EQ(test_shutdown(), 0);
    EXPECT_EQ(g_arenas.mapped(), 0u);
    EXPECT_EQ(g_arenas.Count(), 0u);
    EXPECT_LE(fake::MappedBytes(), before);
    CurrentHeap();
  }
}

TEST_F(ArenasTest, PlacesRunOut) {
  std::vector<ArenaHandle> handles;
  for (unsigned i = 0; i < kArenasMax; ++i) {
    handles.push_back(Create());
    ASSERT_NE(handles.back(), 0u) << i;
  }
  EXPECT_EQ(g_arenas.Count(), kArenasMax);
  const size_t mapped = g_arenas.mapped();
  const size_t children = At(handles[0])->children.Load(Order::kRelaxed);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Create(), 0u);
    EXPECT_EQ(CreateChild(handles[0]), 0u);
  }
  EXPECT_EQ(At(handles[0])->children.Load(Order::kRelaxed), children);
  EXPECT_EQ(g_arenas.mapped(), mapped);
  // The last place serves as any other.
  ASSERT_EQ(PlaceOfHandle(handles.back()), kArenasMax);
  char* const block = Allocate(handles.back(), 100);
  EXPECT_EQ(test_arena_of(block),
            reinterpret_cast<test_arena*>(handles.back()));
  test_free(block);
  Destroy(handles[77]);
  handles[77] = Create();
  EXPECT_NE(handles[77], 0u);
  EXPECT_EQ(Create(), 0u);
  for (const ArenaHandle handle : handles) Destroy(handle);
  EXPECT_EQ(g_arenas.Count(), 0u);
}

TEST_F(ArenasTest, CreateFailsCleanlyAtEachMap) {
  for (uint64_t nth = 1; nth <= 5; ++nth) {
    ASSERT_NE(CurrentHeap(), nullptr);
    const int64_t before = fake::MappedBytes();
    uint64_t failed;
    {
      const ScopedFailures failures(Primitive::kMap, Failures::From(nth));
      const ArenaHandle handle = Create();
      failed = failures.failed();
      EXPECT_EQ(handle == 0, failed != 0) << nth;
      if (handle == 0) {
        EXPECT_EQ(Create(), 0u);
        EXPECT_EQ(g_arenas.Count(), 0u);
        EXPECT_EQ(nth > 1, fake::MappedBytes() != before)
            << "at most the table";
      }
    }
    const ArenaHandle handle = Create();
    ASSERT_NE(handle, 0u);
    EXPECT_NE(Allocate(handle, 10), nullptr);
    EXPECT_EQ(g_arenas.Count(), failed != 0 ? 1u : 2u);
    ASSERT_EQ(test_shutdown(), 0);
    if (failed == 0) {
      EXPECT_EQ(nth, 3u) << "the table and a chunk of the store";
      break;
    }
  }
}

TEST_F(ArenasTest, AFailureCostsTheParentNothing) {
  const ArenaHandle parent = Create();
  std::vector<ArenaHandle> children;
  {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    for (ArenaHandle child; (child = CreateChild(parent)) != 0;)
      children.push_back(child);
    EXPECT_GT(children.size(), 10u) << "as many as a chunk has room for";
    for (int i = 0; i < 10; ++i) EXPECT_EQ(CreateChild(parent), 0u);
    EXPECT_EQ(At(parent)->children.Load(Order::kRelaxed), children.size());
    // Nor has any of them a heap.
    for (const ArenaHandle child : children) {
      if (HeapIn(child) != nullptr) continue;
      EXPECT_EQ(HeapIn(child), nullptr);
      EXPECT_EQ(At(child)->heaps.Load(Order::kRelaxed), nullptr);
    }
  }
  for (const ArenaHandle child : children)
    EXPECT_NE(Allocate(child, 10), nullptr);
  Destroy(parent);
  EXPECT_EQ(g_arenas.Count(), 0u);
}

// While one thread maps the table, another one is faster.
TEST_F(ArenasTest, ALateTableGoesBack) {
  CurrentHeap();
  struct Other {
    ArenaHandle handle = 0;
    static void Make(void* context) {
      auto* const self = static_cast<Other*>(context);
      if (self->handle == 0) self->handle = Create();
    }
  } other;
  const int64_t before = fake::MappedBytes();
  ArenaHandle handle;
  {
    const fake::ScopedHook hook(Primitive::kMap, &Other::Make, &other);
    handle = Create();
  }
  ASSERT_NE(handle, 0u);
  ASSERT_NE(other.handle, 0u);
  EXPECT_NE(PlaceOfHandle(handle), PlaceOfHandle(other.handle));
  EXPECT_EQ(g_arenas.Count(), 2u);
  EXPECT_NEAR(static_cast<double>(fake::MappedBytes() - before),
              static_cast<double>(g_arenas.mapped()), 65536);
  Destroy(handle);
  Destroy(other.handle);
}

// In a child of fork nobody goes on with what other threads of the parent were
// ending or creating, though threads live there.
TEST_F(ArenasTest, AnEndThatNobodyIsAtIsNotWaitedFor) {
  const ArenaHandle parent = Create();
  const ArenaHandle child = CreateChild(parent);
  At(parent)->children.FetchAdd(1, Order::kRelaxed);
  std::atomic<int> stage{0};
  std::thread living([&] {
    CurrentHeap();
    stage = 1;
    while (stage == 1) platform::Yield();
  });
  while (stage == 0) platform::Yield();
  std::thread([&] { g_arenas.Destroy(CurrentHeap(), parent); }).join();
  EXPECT_EQ(g_arenas.Count(), 0u) << "nor is " << child << " left";
  stage = 2;
  living.join();
}

// Where a thread is held in the middle of ending an arena.
struct Held {
  std::atomic<platform::ThreadId> thread{0};
  std::atomic<int> stage{0};
};
void Hold(void* context) {
  auto* const held = static_cast<Held*>(context);
  if (platform::CurrentThread() != held->thread) return;
  int begun = 0;
  if (!held->stage.compare_exchange_strong(begun, 1)) return;
  while (held->stage == 1) platform::Yield();
}

// While `slow` is held in the middle of ending a child, another thread that ends the
// parent by end_parent() comes to no end; then both do.
template <typename End>
void ExpectToBeWaitedFor(std::thread* slow, Held* held, End end_parent) {
  std::atomic<bool> ended{false};
  std::thread other([&] {
    end_parent();
    ended = true;
  });
  for (int i = 0; i < 2000; ++i) platform::Yield();
  EXPECT_FALSE(ended);
  held->stage = 2;
  slow->join();
  other.join();
  EXPECT_TRUE(ended);
  EXPECT_EQ(g_arenas.Count(), 0u);
}

// An arena with a child that takes a purge to end.
struct Family {
  ArenaHandle parent;
  ArenaHandle child;
};
Family MakeFamily() {
  Family family;
  family.parent = g_arenas.Create(&g_instance, CurrentHeap(), {});
  ArenaOptions options;
  options.parent = family.parent;
  family.child = g_arenas.Create(&g_instance, CurrentHeap(), options);
  for (int i = 0; i < 40; ++i) {
    ArenaHeap* const heap = g_arenas.HeapFor(CurrentHeap(), family.child);
    *static_cast<char*>(heap->Allocate(1500000, 16, false)) = 1;
  }
  return family;
}

// Of another process in this memory, made by clone(CLONE_VM).
TEST_F(ArenasTest, AnEndThatAnotherProcessIsAtIsWaitedFor) {
  if (!platform::SharesMemory(static_cast<platform::ProcessId>(getpid())))
    GTEST_SKIP() << "the system call kcmp is not allowed here";
  const Family family = MakeFamily();
  Held held;
  {
    const fake::ScopedHook hook(Primitive::kPurge, Hold, &held);
    std::thread slow([&] {
      Heap* const heap = CurrentHeap();
      held.thread = platform::CurrentThread();
      g_arenas.Destroy(heap, family.child);
      held.thread = 0;
    });
    while (held.stage == 0) platform::Yield();
    // The process's id says so to all threads; the one above has asked already.
    const fake::ScopedProcess beside(4711);
    ExpectToBeWaitedFor(&slow, &held, [&] {
      g_arenas.Destroy(CurrentHeap(), family.parent);
      test_thread_detach();
    });
  }
}

TEST_F(ArenasTest, AnEndByAThreadWithoutAHeapIsWaitedForWhileItLives) {
  const Family family = MakeFamily();
  Held held;
  const fake::ScopedHook hook(Primitive::kPurge, Hold, &held);
  std::thread slow([&] {
    held.thread = platform::CurrentThread();
    g_arenas.Destroy(nullptr, family.child);
    held.thread = 0;
  });
  while (held.stage == 0) platform::Yield();
  // That thread is not there, and its place says nothing.
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    Destroy(family.parent);
    _exit(g_arenas.Count() == 0 ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "it waits for a thread that is not there";
  ExpectToBeWaitedFor(&slow, &held,
                      [&] { g_arenas.Destroy(nullptr, family.parent); });
}

TEST_F(ArenasTest, AThreadWithoutAHeapThatWasKilledIsNotWaitedFor) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP()
      << "AddressSanitizer stops where a killed thread's stack is used again";
#endif
  for (int i = 0; i < 40; ++i) {  // as often as takes up all places
    const Family family = MakeFamily();
    const fake::ScopedHook hook(
        Primitive::kPurge, [](void*) { syscall(SYS_exit, 0); }, nullptr);
    std::thread([&] { g_arenas.Destroy(nullptr, family.child); }).join();
    const fake::ScopedHook no_hook(
        Primitive::kPurge, [](void*) {}, nullptr);
    ASSERT_EQ(At(family.parent)->children.Load(Order::kRelaxed), 1u);
    alarm(20);
    Destroy(family.parent);
    alarm(0);
  }
}

TEST_F(ArenasTest, AnEndThatSomebodyIsAtIsWaitedFor) {
  const ArenaHandle parent = Create();
  const ArenaHandle child = CreateChild(parent);
  Held held;
  const fake::ScopedHook hook(Primitive::kPurge, Hold, &held);
  std::thread slow([&] {
    for (int i = 0; i < 40; ++i) {
      ArenaHeap* const heap = g_arenas.HeapFor(CurrentHeap(), child);
      void* const block = heap->Allocate(1500000, 16, false);
      memset(block, 1, 1500000);
    }
    held.thread = platform::CurrentThread();
    g_arenas.Destroy(CurrentHeap(), child);
    held.thread = 0;
  });
  while (held.stage == 0) platform::Yield();
  ExpectToBeWaitedFor(&slow, &held,
                      [&] { g_arenas.Destroy(CurrentHeap(), parent); });
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
