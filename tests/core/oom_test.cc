// Handlers of a shortage of memory: who is asked, how often, and what a handler
// may do.
#include "core/api/oom.h"

#include <errno.h>
#include <setjmp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>

#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kMuch = 300 * kMiB;  // more than any range has by chance

// The system has nothing more.
class Famine {
 public:
  void Begin() {
    reserve_.emplace(Primitive::kReserve, Failures::Always());
    map_.emplace(Primitive::kMap, Failures::Always());
    commit_.emplace(Primitive::kCommit, Failures::Always());
  }
  void End() {
    commit_.reset();
    map_.reset();
    reserve_.reset();
  }

 private:
  std::optional<ScopedFailures> reserve_, map_, commit_;
};

// A handler that writes down what it is asked, and answers by a function.
struct Asked {
  explicit Asked(std::function<int(const test_oom_info&)> answer)
      : answer_(std::move(answer)) {}

  test_oom_handler handler = {Call, this};
  std::vector<test_oom_info> infos;

 private:
  static int Call(const test_oom_info* info, void* context) {
    auto* const self = static_cast<Asked*>(context);
    self->infos.push_back(*info);
    return self->answer_(*info);
  }
  std::function<int(const test_oom_info&)> answer_;
};

int Fails(const test_oom_info&) { return test_oom_fail; }
int Retries(const test_oom_info&) { return test_oom_retry; }

class OomTest : public InstanceTest {
 protected:
  // With a heap, and then a famine.
  void SetUp() override {
    test_free(test_malloc(1));
    famine.Begin();
  }
  void TearDown() override {
    famine.End();
    EXPECT_FALSE(IsInOomHandler());
  }

  Famine famine;
};

// On a thread of its own, which has no heap yet.
template <typename Body>
void OnNewThread(Body body) {
  std::thread([&] {
    body();
    fake::Farewell();
  }).join();
}

// ---- Who is asked ----

TEST_F(OomTest, WithoutHandlersACallFails) {
  EXPECT_EQ(test_malloc(kMuch), nullptr);
  EXPECT_EQ(test_oom_ask_throwing(nullptr, kMuch, 16, 0), 0);
}

TEST_F(OomTest, EveryFunctionThatNeedsMemoryAsks) {
  famine.End();
  void* const small = test_malloc(100);
  void* const large = test_malloc(kMiB);
  test_arena* const arena = test_arena_create(nullptr);
  void* const in_arena = test_arena_malloc(arena, 100);
  // Nor are there places for arenas to spare.
  famine.Begin();
  Asked asked(Fails);
  ASSERT_EQ(test_set_oom_handler(&asked.handler, nullptr), 0);
  const auto expect = [&](const char* what, test_arena* whose, size_t size,
                          size_t alignment, void* result) {
    EXPECT_EQ(result, nullptr) << what;
    ASSERT_EQ(asked.infos.size(), 1u) << what;
    const test_oom_info info = asked.infos[0];
    EXPECT_EQ(info.struct_size, sizeof(info)) << what;
    EXPECT_STREQ(info.prefix, "test_") << what;
    EXPECT_EQ(info.arena, whose) << what;
    EXPECT_EQ(info.size, size) << what;
    EXPECT_EQ(info.alignment, alignment) << what;
    EXPECT_EQ(info.asked, 0u) << what;
    EXPECT_EQ(info.can_throw, 0) << what;
    asked.infos.clear();
  };
  expect("malloc", nullptr, kMuch, 16, test_malloc(kMuch));
  expect("calloc", nullptr, kMuch, 16, test_calloc(kMuch / 4, 4));
  expect("realloc", nullptr, kMuch, 16, test_realloc(small, kMuch));
  expect("realloc", nullptr, kMuch, 16, test_realloc(large, kMuch));
  expect("realloc", nullptr, kMuch, 16, test_realloc(nullptr, kMuch));
  expect("realloc", arena, kMuch, 16, test_realloc(in_arena, kMuch));
  expect("reallocarray", nullptr, kMuch, 16,
         test_reallocarray(small, kMuch / 8, 8));
  expect("aligned_alloc", nullptr, kMuch, 4096,
         test_aligned_alloc(4096, kMuch));
  expect("aligned_alloc", nullptr, kMuch, 16, test_aligned_alloc(16, kMuch));
  expect("memalign", nullptr, kMuch, 1 << 20, test_memalign(1 << 20, kMuch));
  void* block = nullptr;
  EXPECT_EQ(test_posix_memalign(&block, 64, kMuch), ENOMEM);
  expect("posix_memalign", nullptr, kMuch, 64, block);
  expect("alloc_at_multiple", nullptr, kMuch, 24,
         test_alloc_at_multiple(24, kMuch));
  EXPECT_EQ(test_malloc_batch(kMuch, 1, &block), 0u);
  expect("malloc_batch", nullptr, kMuch, 16, block);
  expect("arena_malloc", arena, kMuch, 16, test_arena_malloc(arena, kMuch));
  expect("arena_calloc", arena, kMuch, 16,
         test_arena_calloc(arena, kMuch / 2, 2));
  expect("arena_realloc", arena, kMuch, 16,
         test_arena_realloc(arena, in_arena, kMuch));
  expect("arena_reallocarray", arena, kMuch, 16,
         test_arena_reallocarray(arena, in_arena, 2, kMuch / 2));
  expect("arena_aligned_alloc", arena, kMuch, 64,
         test_arena_aligned_alloc(arena, 64, kMuch));
  EXPECT_EQ(test_arena_posix_memalign(arena, &block, 64, kMuch), ENOMEM);
  expect("arena_posix_memalign", arena, kMuch, 64, block);
  test_arena_options options = {};
  options.struct_size = sizeof(options);
  options.parent = arena;
  std::vector<test_arena*> arenas;
  while (asked.infos.empty() && arenas.size() < 100000) {
    test_arena* const one = test_arena_create(&options);
    if (one == nullptr) break;
    arenas.push_back(one);
  }
  expect("arena_create", arena, 0, 0, nullptr);
  test_arena_destroy(arena);
}

// It goes on where it came to: what a handler frees is the rest of the batch.
TEST_F(OomTest, ABatchAsksForItsRest) {
  std::vector<void*> blocks(200000);
  famine.End();
  ASSERT_EQ(test_malloc_batch(1024, 1000, blocks.data()), 1000u);
  test_free_batch(blocks.data(), 1000);  // what there is to begin with
  famine.Begin();
  size_t freed = 0;
  Asked asked([&](const test_oom_info& info) {
    EXPECT_EQ(info.size, 1024u);
    EXPECT_EQ(info.asked, freed / 100);
    if (freed == 300) return int{test_oom_fail};
    test_free_batch(blocks.data() + freed, 100);
    freed += 100;
    return int{test_oom_retry};
  });
  ASSERT_EQ(test_set_oom_handler(&asked.handler, nullptr), 0);
  const size_t got = test_malloc_batch(1024, blocks.size(), blocks.data());
  EXPECT_GE(got, 300u);
  EXPECT_LT(got, blocks.size());
  EXPECT_EQ(freed, 300u);
  EXPECT_EQ(Stats().blocks_live, got - freed);
  ASSERT_EQ(test_set_oom_handler(nullptr, nullptr), 0);
  test_free_batch(blocks.data() + freed, got - freed);
}

TEST_F(OomTest, SmallBlocksAskWhenTheLastIsGiven) {
  Asked asked(Fails);
  test_set_oom_handler(&asked.handler, nullptr);
  for (const size_t size : {1, 100, 5000, 40000, 300000}) {
    std::vector<void*> blocks;
    while (void* const block = test_malloc(size)) blocks.push_back(block);
    ASSERT_EQ(asked.infos.size(), 1u);
    EXPECT_EQ(asked.infos[0].size, size);
    EXPECT_EQ(asked.infos[0].alignment, size < 16 ? 8u : 16u);
    EXPECT_EQ(test_calloc(1, size), nullptr);
    EXPECT_EQ(asked.infos.size(), 2u);
    for (void* const block : blocks) test_free(block);
    EXPECT_EQ(asked.infos.size(), 2u) << "free asks nobody";
    asked.infos.clear();
  }
}

TEST_F(OomTest, NobodyIsAskedForTheImpossible) {
  famine.End();
  void* const block = test_malloc(10);
  famine.Begin();
  Asked asked(Retries);
  test_set_oom_handler(&asked.handler, nullptr);
  constexpr size_t kTooMuch = kRequestMax + 1;
  EXPECT_EQ(test_malloc(kTooMuch), nullptr);
  EXPECT_EQ(test_malloc(~size_t{0}), nullptr);
  EXPECT_EQ(test_calloc(kTooMuch, kTooMuch), nullptr);
  EXPECT_EQ(test_calloc(1, kTooMuch), nullptr);
  EXPECT_EQ(test_realloc(block, kTooMuch), nullptr);
  EXPECT_EQ(test_reallocarray(block, ~size_t{0}, 2), nullptr);
  EXPECT_EQ(test_aligned_alloc(64, ~size_t{0}), nullptr);
  EXPECT_EQ(test_aligned_alloc(3, 10), nullptr);
  EXPECT_EQ(test_oom_ask_throwing(nullptr, ~size_t{0}, 16, 0), 0);
  EXPECT_EQ(test_oom_ask_throwing(nullptr, 16, ~size_t{0}, 0), 0);
  famine.End();
  test_arena* const arena = test_arena_create(nullptr);
  EXPECT_EQ(test_arena_malloc(arena, kTooMuch), nullptr);
  EXPECT_EQ(test_arena_realloc(arena, test_arena_malloc(arena, 9), kTooMuch),
            nullptr);
  EXPECT_TRUE(asked.infos.empty());
  test_arena_destroy(arena);
  test_free(block);
}

TEST_F(OomTest, TheThreadsIsAskedFirst) {
  Asked all(Fails);
  Asked mine(Fails);
  test_set_oom_handler(&all.handler, nullptr);
  ASSERT_EQ(test_set_thread_oom_handler(&mine.handler, nullptr), 0);
  EXPECT_EQ(test_malloc(kMuch), nullptr);
  EXPECT_EQ(mine.infos.size(), 1u);
  EXPECT_EQ(all.infos.size(), 1u) << "the next after one that gives up";
  Asked helper([&](const test_oom_info&) {
    EXPECT_EQ(all.infos.size(), 1u) << "the first";
    famine.End();
    return test_oom_retry;
  });
  test_set_thread_oom_handler(&helper.handler, nullptr);
  void* const block = test_malloc(kMuch);
  EXPECT_NE(block, nullptr);
  EXPECT_EQ(all.infos.size(), 1u) << "not needed";
  test_free(block);
  famine.Begin();
  OnNewThread([] { EXPECT_EQ(test_malloc(kMuch), nullptr); });
  EXPECT_EQ(helper.infos.size(), 1u) << "another thread's";
  EXPECT_EQ(all.infos.size(), 2u);
}

// ---- Trying again ----

TEST_F(OomTest, WhatAHandlerFreesServesTheCall) {
  famine.End();
  void* hoard = test_malloc(kMuch);
  famine.Begin();
  Asked asked([&](const test_oom_info&) {
    test_free(hoard);
    hoard = nullptr;
    return test_oom_retry;
  });
  test_set_oom_handler(&asked.handler, nullptr);
  void* const block = test_malloc(kMuch);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(asked.infos.size(), 1u);
  test_free(block);
}

TEST_F(OomTest, RetriesAreBounded) {
  Asked asked(Retries);
  test_set_oom_handler(&asked.handler, nullptr);
  for (int call = 0; call < 2; ++call) {
    EXPECT_EQ(test_malloc(kMuch), nullptr);
    ASSERT_EQ(asked.infos.size(), 100u);
    for (unsigned i = 0; i < 100; ++i) EXPECT_EQ(asked.infos[i].asked, i);
    asked.infos.clear();
  }
  EXPECT_EQ(test_oom_ask_throwing(nullptr, 100, 16, 99), 1);
  EXPECT_EQ(asked.infos[0].can_throw, 1);
  EXPECT_EQ(test_oom_ask_throwing(nullptr, 100, 16, 100), 0);
  EXPECT_EQ(asked.infos.size(), 1u);
}

TEST_F(OomTest, FailureSetsErrnoAndSuccessOfPosixMemalignKeepsIt) {
  Asked asked([&](const test_oom_info& info) {
    errno = 99;
    if (info.asked < 2) return test_oom_retry;
    return test_oom_fail;
  });
  test_set_oom_handler(&asked.handler, nullptr);
  EXPECT_EQ(test_malloc(kMuch), nullptr);
  EXPECT_EQ(errno, Config::kSetErrno ? ENOMEM : 99);
  if (Config::kSetErrno) {
    errno = 77;
    void* block;
    EXPECT_EQ(test_posix_memalign(&block, 64, kMuch), ENOMEM);
    EXPECT_EQ(errno, 77);
  }
}

TEST_F(OomTest, AQuotaIsAskedAboutWithItsArena) {
  famine.End();
  test_arena_options options = {};
  options.struct_size = sizeof(options);
  options.hard_quota = 4 * kMiB;
  test_arena* const arena = test_arena_create(&options);
  std::vector<void*> hoard;
  Asked asked([&](const test_oom_info&) {
    if (hoard.empty()) return test_oom_fail;
    test_free(hoard.back());
    hoard.pop_back();
    return test_oom_retry;
  });
  for (int i = 0; i < 3; ++i) hoard.push_back(test_arena_malloc(arena, kMiB));
  test_set_oom_handler(&asked.handler, nullptr);
  EXPECT_NE(test_arena_malloc(arena, 3 * kMiB), nullptr);
  ASSERT_GE(asked.infos.size(), 2u);
  for (const test_oom_info& info : asked.infos) EXPECT_EQ(info.arena, arena);
  asked.infos.clear();
  hoard.clear();
  EXPECT_EQ(test_arena_malloc(arena, 4 * kMiB), nullptr);
  EXPECT_EQ(asked.infos.size(), 1u);
  test_arena_destroy(arena);
}

// ---- What a handler may do ----

TEST_F(OomTest, ACallThatFailsInAHandlerAsksNobody) {
  Asked all([&](const test_oom_info&) {
    EXPECT_EQ(test_malloc(kMuch), nullptr);
    EXPECT_EQ(test_oom_ask_throwing(nullptr, kMuch, 16, 0), 0);
    void* const small = test_malloc(8);
    EXPECT_NE(small, nullptr) << "there is one to have";
    test_free(small);
    return test_oom_fail;
  });
  test_set_oom_handler(&all.handler, nullptr);
  test_set_thread_oom_handler(&all.handler, nullptr);
  EXPECT_EQ(test_malloc(kMuch), nullptr);
  EXPECT_EQ(all.infos.size(), 2u);
  EXPECT_EQ(test_malloc(kMuch), nullptr);
  EXPECT_EQ(all.infos.size(), 4u) << "outside of it they are asked again";
}

TEST_F(OomTest, AThreadWithoutAHeapAsksToo) {
  Asked all([&](const test_oom_info& info) {
    EXPECT_TRUE(IsInOomHandler());
    EXPECT_EQ(test_malloc(10), nullptr) << "asks nobody";
    if (info.asked == 0) return test_oom_retry;
    famine.End();
    test_free(test_malloc(10));  // gets a heap
    famine.Begin();
    EXPECT_EQ(test_malloc(kMuch), nullptr) << "asks nobody still";
    test_thread_detach();
    EXPECT_EQ(test_malloc(kMuch), nullptr);
    famine.End();
    return test_oom_retry;
  });
  test_set_oom_handler(&all.handler, nullptr);
  OnNewThread([&] {
    void* const block = test_malloc(100);
    EXPECT_NE(block, nullptr);
    EXPECT_FALSE(IsInOomHandler());
    test_free(block);
    test_thread_detach();
  });
  EXPECT_EQ(all.infos.size(), 2u);
}

constexpr unsigned kFirst = 1000000;

// By as many threads, from kFirst on, which live for as long as what is returned.
std::vector<std::unique_ptr<fake::ScopedLife>> TakeAllPlaces(OomState* state) {
  std::vector<std::unique_ptr<fake::ScopedLife>> lives;
  for (unsigned i = 0; i < OomState::kHomelessMax; ++i) {
    lives.push_back(std::make_unique<fake::ScopedLife>(kFirst + i, true));
    const fake::ScopedIdentity other(kFirst + i);
    EXPECT_TRUE(state->Enter());
    EXPECT_TRUE(state->Has());
  }
  return lives;
}

TEST_F(OomTest, PlacesOfThreadsWithoutHeapsEnd) {
  auto state = std::make_unique<OomState>();
  auto lives = TakeAllPlaces(state.get());
  EXPECT_FALSE(state->Has());
  EXPECT_FALSE(state->Enter()) << "there are no more";
  lives.clear();
  lives.push_back(std::make_unique<fake::ScopedLife>(kFirst + 7, false));
  EXPECT_TRUE(state->Enter()) << "a dead thread's";
  EXPECT_TRUE(state->Has());
  state->Leave();
  EXPECT_FALSE(state->Has());
}

// Of the same ids, both of them, as where a pid namespace begins.
TEST_F(OomTest, PlacesOfAParentsThreadsAreNobodysInAChild) {
  auto state = std::make_unique<OomState>();
  const fake::ScopedProcess process(100);
  const fake::ScopedIdentity thread(107);
  const fake::ScopedLife life(107, true);
  famine.End();
  ASSERT_TRUE(state->Enter());
  ASSERT_TRUE(state->Has());
  const pid_t child = fork();
  if (child == 0) {
    if (state->Has()) _exit(1);
    for (unsigned i = 0; i < OomState::kHomelessMax; ++i) {
      if (!state->Enter()) _exit(2);
    }
    // All of them are this thread's now, and it lives.
    if (state->Enter()) _exit(3);
    state->Leave();
    _exit(state->Has() ? 4 : 0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(state->Has());
}

// By clone(CLONE_VM): what the threads of either have is theirs.
TEST_F(OomTest, PlacesOfAnotherProcessInThisMemoryStay) {
  auto state = std::make_unique<OomState>();
  auto lives = TakeAllPlaces(state.get());
  const fake::ScopedProcess beside(4711);
  EXPECT_FALSE(state->Enter()) << "none is left, and all live";
  const fake::ScopedIdentity other(kFirst + 1);
  EXPECT_TRUE(state->Has());
}

TEST_F(OomTest, AHandlerCannotTakeTheHeapAway) {
  Asked asked([&](const test_oom_info&) {
    const Heap* const heap = ThreadHeap();
    test_thread_detach();
    EXPECT_EQ(ThreadHeap(), heap);
    EXPECT_EQ(test_shutdown(), EBUSY);
    EXPECT_EQ(ThreadHeap(), heap);
    test_purge();
    return test_oom_fail;
  });
  test_set_oom_handler(&asked.handler, nullptr);
  EXPECT_EQ(test_malloc(kMuch), nullptr);
  EXPECT_EQ(asked.infos.size(), 1u);
  test_thread_detach();
  EXPECT_EQ(ThreadHeap(), &g_no_heap);
}

TEST_F(OomTest, AHandlerMaySetHandlers) {
  Asked second(Fails);
  Asked first([&](const test_oom_info&) {
    EXPECT_EQ(test_set_thread_oom_handler(nullptr, nullptr), 0);
    EXPECT_EQ(test_set_oom_handler(&second.handler, nullptr), 0);
    return test_oom_fail;
  });
  test_set_thread_oom_handler(&first.handler, nullptr);
  EXPECT_EQ(test_malloc(kMuch), nullptr);
  EXPECT_EQ(first.infos.size(), 1u);
  EXPECT_EQ(second.infos.size(), 1u);
}

jmp_buf g_jump;
bool g_leave_before;

int Jump(const test_oom_info*, void*) {
  if (g_leave_before) test_oom_leave();
  longjmp(g_jump, 1);
}
constexpr test_oom_handler kJump = {Jump, nullptr};

// Whether the call was left.
bool LeavesBy(void (*call)()) {
  if (setjmp(g_jump) != 0) return true;
  call();
  return false;
}

TEST_F(OomTest, AHandlerMayLeaveByLongjmp) {
  famine.End();
  static void* block;
  static test_arena* arena;
  block = test_malloc(100);
  Fill(block, 100, 1);
  test_arena_options options = {};
  options.struct_size = sizeof(options);
  options.hard_quota = kMiB;
  arena = test_arena_create(&options);
  famine.Begin();
  test_set_oom_handler(&kJump, nullptr);
  const test_stats_t before = Stats();
  for (int round = 0; round < 50; ++round) {
    g_leave_before = round % 2 == 0;
    for (void (*const call)() : {
             +[] { test_malloc(kMuch); },
             +[] { test_calloc(1, kMuch); },
             +[] { test_realloc(block, kMuch); },
             +[] { test_aligned_alloc(4096, kMuch); },
             +[] { test_arena_malloc(arena, kMuch); },
         }) {
      ASSERT_TRUE(LeavesBy(call));
      EXPECT_EQ(IsInOomHandler(), !g_leave_before);
      test_oom_leave();
      EXPECT_FALSE(IsInOomHandler());
    }
  }
  EXPECT_EQ(Stats().blocks_live, before.blocks_live);
  EXPECT_EQ(Stats().bytes_spans, before.bytes_spans);
  EXPECT_TRUE(IsFilled(block, 100, 1));
  famine.End();
  test_free(block);
  test_arena_destroy(arena);
}

TEST_F(OomTest, AThreadWithoutAHeapMayLeaveByLongjmp) {
  test_set_oom_handler(&kJump, nullptr);
  OnNewThread([] {
    g_leave_before = true;
    for (unsigned i = 0; i < 3 * OomState::kHomelessMax; ++i) {
      ASSERT_TRUE(LeavesBy([] { test_malloc(100); }));
      ASSERT_FALSE(IsInOomHandler());
    }
  });
}

// ---- Setting ----

TEST_F(OomTest, TheFormerHandlerIsGivenBack) {
  const test_oom_handler one = {Jump, nullptr};
  const test_oom_handler other = {Jump, nullptr};
  const test_oom_handler* former = &other;
  for (const auto set : {test_set_oom_handler, test_set_thread_oom_handler}) {
    former = &other;
    EXPECT_EQ(set(&one, &former), 0);
    EXPECT_EQ(former, nullptr);
    EXPECT_EQ(set(&other, &former), 0);
    EXPECT_EQ(former, &one);
    const test_oom_handler wrong = {nullptr, nullptr};
    former = &one;
    EXPECT_EQ(set(&wrong, &former), EINVAL);
    EXPECT_EQ(former, &one) << "nothing changed";
    EXPECT_EQ(set(nullptr, &former), 0);
    EXPECT_EQ(former, &other);
    EXPECT_EQ(set(nullptr, &former), 0);
    EXPECT_EQ(former, nullptr);
  }
}

TEST_F(OomTest, AThreadsHandlerNeedsAHeap) {
  OnNewThread([&] {
    const test_oom_handler* former = &kJump;
    EXPECT_EQ(test_set_thread_oom_handler(&kJump, nullptr), ENOMEM);
    EXPECT_EQ(test_set_thread_oom_handler(nullptr, &former), 0);
    EXPECT_EQ(former, nullptr);
    EXPECT_EQ(ThreadHeap(), &g_no_heap) << "to take one away needs none";
  });
}

TEST_F(OomTest, AThreadsHandlerEndsWithItsHeap) {
  famine.End();
  test_set_thread_oom_handler(&kJump, nullptr);
  test_thread_detach();
  test_free(test_malloc(1));
  const test_oom_handler* former = &kJump;
  test_set_thread_oom_handler(nullptr, &former);
  EXPECT_EQ(former, nullptr);
  test_thread_detach();
  // Of a thread that died in a handler, and never detached.
  for (int i = 0; i < 2; ++i) {
    OnNewThread([&] {
      test_free(test_malloc(1));
      EXPECT_FALSE(IsInOomHandler());
      EXPECT_EQ(test_set_thread_oom_handler(&kJump, &former), 0);
      EXPECT_EQ(former, nullptr);
      famine.Begin();
      g_leave_before = false;
      EXPECT_TRUE(LeavesBy([] { test_malloc(kMuch); }));
      EXPECT_TRUE(IsInOomHandler());
      famine.End();
    });
  }
  EXPECT_LE(Stats().threads, 1u);
}

TEST_F(OomTest, ShutdownTakesBothAway) {
  famine.End();
  for (const bool abandons : {false, true}) {
    test_set_oom_handler(&kJump, nullptr);
    test_set_thread_oom_handler(&kJump, nullptr);
    if (abandons) {
      test_abandon();
    } else {
      EXPECT_EQ(test_shutdown(), 0);
    }
    const test_oom_handler* former = &kJump;
    test_set_oom_handler(nullptr, &former);
    EXPECT_EQ(former, nullptr);
    former = &kJump;
    test_free(test_malloc(1));
    test_set_thread_oom_handler(nullptr, &former);
    EXPECT_EQ(former, nullptr);
  }
}

TEST_F(OomTest, AChildOfForkInheritsBoth) {
  Asked all(Fails);
  Asked mine(Fails);
  test_set_oom_handler(&all.handler, nullptr);
  test_set_thread_oom_handler(&mine.handler, nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const bool failed = test_malloc(kMuch) == nullptr;
    _exit(failed && all.infos.size() == 1 && mine.infos.size() == 1 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// ---- Stopping ----

int Abort(const test_oom_info*, void*) { return test_oom_abort; }
constexpr test_oom_handler kAbort = {Abort, nullptr};

using OomDeathTest = OomTest;

TEST_F(OomDeathTest, AbortSaysWhatWasAskedFor) {
  test_set_oom_handler(&kAbort, nullptr);
  EXPECT_EXIT(test_aligned_alloc(64, kMuch), testing::KilledBySignal(SIGABRT),
              testing::StrEq("alcove[test_]: out of memory: 314572800 bytes at "
                             "a multiple of 64\n"));
  famine.End();
  test_arena_options options = {};
  options.struct_size = sizeof(options);
  options.name = "frame";
  options.hard_quota = kMiB;
  test_arena* const arena = test_arena_create(&options);
  test_arena_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  test_arena_stats(arena, &stats);
  const std::string named =
      "arena " + std::to_string(stats.number) + " (frame)\n";
  EXPECT_EXIT(test_arena_malloc(arena, 2 * kMiB),
              testing::KilledBySignal(SIGABRT),
              testing::StrEq("alcove[test_]: out of memory: 2097152 bytes at a "
                             "multiple of 16, in " +
                             named));
  EXPECT_EXIT(
      {
        famine.Begin();
        options.parent = arena;
        while (test_arena_create(&options) != nullptr) {
        }
      },
      testing::KilledBySignal(SIGABRT),
      testing::StrEq("alcove[test_]: out of memory: no arena, in " + named));
  test_arena_destroy(arena);
}

TEST_F(OomDeathTest, AnUnknownAnswerStops) {
  Asked asked([](const test_oom_info&) { return 7; });
  test_set_thread_oom_handler(&asked.handler, nullptr);
  EXPECT_EXIT(test_malloc(kMuch), testing::KilledBySignal(SIGABRT),
              testing::StrEq("alcove[test_]: an out-of-memory handler gave the "
                             "unknown answer 7\n"));
}

// The block that is to be resized is looked up anew after a handler.
TEST_F(OomDeathTest, AHandlerMustNotFreeTheBlock) {
  famine.End();
  void* const block = test_malloc(40 * kMiB);  // is not cached
  famine.Begin();
  Asked asked([&](const test_oom_info&) {
    test_free(block);
    return test_oom_retry;
  });
  test_set_oom_handler(&asked.handler, nullptr);
  EXPECT_MISUSE(
      {
        Blame(block);
        test_realloc(block, kMuch);
      },
      "size or realloc asked of memory that is in no block, at");
  famine.End();
  test_set_oom_handler(nullptr, nullptr);
  test_free(block);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
