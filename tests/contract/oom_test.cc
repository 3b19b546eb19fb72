// Handlers of a shortage of memory, on stamped instances: what passes through
// the instance's frames (a jump, an exception), on every level of calls, and
// what the C++ part makes of it.
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <memory>
#include <memory_resource>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include SUBJECT_HEADER

#include "tests/contract/contract.h"
#include "tests/contract/stepping.h"

#define PASTE_(prefix, name) prefix##name
#define PASTE(prefix, name) PASTE_(prefix, name)
#define SUBJECT(name) PASTE(SUBJECT_PREFIX, name)

namespace contract {
namespace {

namespace cpp = ::SUBJECT_NAMESPACE;
using Info = SUBJECT(oom_info);
using Handler = SUBJECT(oom_handler);

// As much as the address space has, less what a program always has in it.
constexpr size_t kTooMuch = (size_t{1} << 47) - 4 * kMiB;

// Through a volatile pointer: a compiler knows what malloc and free are.
void* (*volatile g_malloc)(size_t) = SUBJECT(malloc);

size_t LiveBlocks() {
  SUBJECT(stats_t) stats = {};
  stats.struct_size = sizeof(stats);
  SUBJECT(stats)(&stats);
  return stats.blocks_live;
}

// Leaves no handler behind.
class OomTest : public ContractTest {
 protected:
  void TearDown() override {
    SUBJECT(set_oom_handler)(nullptr, nullptr);
    SUBJECT(set_thread_oom_handler)(nullptr, nullptr);
    SUBJECT(oom_leave)();
  }
};

struct TooLarge : std::runtime_error {
  TooLarge() : std::runtime_error("too large") {}
};

struct Count {
  int asked = 0;
  int could_throw = 0;
};

int CountAndFail(const Info* info, void* context) {
  auto* const count = static_cast<Count*>(context);
  ++count->asked;
  count->could_throw += info->can_throw;
  return SUBJECT(oom_fail);
}

int ThrowIfPossible(const Info* info, void*) {
  if (info->can_throw != 0) throw TooLarge();
  return SUBJECT(oom_fail);
}
constexpr Handler kThrows = {ThrowIfPossible, nullptr};

TEST_F(OomTest, ErrnoAfterAHandlerGaveUp) {
  Count count;
  const Handler handler = {CountAndFail, &count};
  ASSERT_EQ(SUBJECT(set_oom_handler)(&handler, nullptr), 0);
  errno = 0;
  EXPECT_EQ(g_malloc(kTooMuch), nullptr);
  EXPECT_EQ(count.asked, 1);
  EXPECT_EQ(count.could_throw, 0);
  EXPECT_EQ(errno, IsOn("set_errno") ? ENOMEM : 0);
}

// ---- Exceptions ----

TEST_F(OomTest, WithoutAHandlerThatThrowsItIsBadAlloc) {
  Count count;
  const Handler handler = {CountAndFail, &count};
  SUBJECT(set_oom_handler)(&handler, nullptr);
  EXPECT_THROW((void)cpp::allocator<char>().allocate(kTooMuch), std::bad_alloc);
  EXPECT_EQ(count.asked, 2);
  EXPECT_EQ(count.could_throw, 1) << "the second time";
  EXPECT_THROW((void)cpp::resource()->allocate(kTooMuch, 64), std::bad_alloc);
  EXPECT_EQ(count.asked, 4);
}

// What a thrown exception has to destroy on its way.
struct Guard {
  explicit Guard(int* count) : count(count) {}
  ~Guard() { ++*count; }
  int* count;
};

TEST_F(OomTest, AHandlersExceptionReachesTheCallerOfCpp) {
  SUBJECT(set_oom_handler)(&kThrows, nullptr);
  cpp::arena_options options;
  options.hard_quota = 4 * kMiB;
  cpp::arena arena(options);
  void* const kept = g_malloc(100);
  Fill(kept, 100, 1);
  const size_t before = LiveBlocks();
  int destroyed = 0;
  for (int round = 0; round < 20; ++round) {
    const auto expect = [&](auto body) {
      EXPECT_THROW(
          {
            const Guard guard(&destroyed);
            body();
          },
          TooLarge);
    };
    expect([] { (void)cpp::allocator<char>().allocate(kTooMuch); });
    expect([] { (void)cpp::resource()->allocate(kTooMuch); });
    expect([] {
      std::vector<char, cpp::allocator<char>> bytes;
      bytes.resize(kTooMuch);
    });
    expect([&] { (void)arena.allocate(8 * kMiB); });
    expect([&] { (void)arena.resource()->allocate(8 * kMiB); });
    expect([&] { (void)arena.allocator<int>().allocate(2 * kMiB); });
    expect([&] {
      struct Large {
        char bytes[8 * kMiB];
      };
      (void)arena.make_unique<Large>();
    });
  }
  EXPECT_EQ(destroyed, 20 * 7);
  EXPECT_EQ(LiveBlocks(), before + 1) << "the arena's resource";
  EXPECT_TRUE(!!Holds(kept, 100, 1));
  SUBJECT(free)(kept);
  EXPECT_EQ(g_malloc(kTooMuch), nullptr) << "C functions never throw";
}

TEST_F(OomTest, AHandlerOfAThreadMayThrowToo) {
  ASSERT_EQ(SUBJECT(set_thread_oom_handler)(&kThrows, nullptr), 0);
  EXPECT_THROW((void)cpp::allocator<char>().allocate(kTooMuch), TooLarge);
  std::thread([] {
    EXPECT_THROW((void)cpp::allocator<char>().allocate(kTooMuch),
                 std::bad_alloc);
  }).join();
}

// One that can throw may free instead.
TEST_F(OomTest, CppTriesAgainAfterTheLastWord) {
  cpp::arena_options options;
  options.hard_quota = 4 * kMiB;
  cpp::arena arena(options);
  struct Hoard {
    void* block;
    int asked = 0;
  } hoard = {arena.allocate(3 * kMiB)};
  const Handler handler = {[](const Info* info, void* context) {
                             auto* const mine = static_cast<Hoard*>(context);
                             ++mine->asked;
                             if (info->can_throw == 0)
                               return int{SUBJECT(oom_fail)};
                             SUBJECT(free)(mine->block);
                             return int{SUBJECT(oom_retry)};
                           },
                           &hoard};
  SUBJECT(set_oom_handler)(&handler, nullptr);
  EXPECT_NE(arena.allocate(3 * kMiB), nullptr);
  EXPECT_EQ(hoard.asked, 2);
}

// ---- Jumps ----

jmp_buf g_jump;

int Jump(const Info*, void*) {
  SUBJECT(oom_leave)();
  longjmp(g_jump, 1);
}
constexpr Handler kJumps = {Jump, nullptr};

bool Leaves() {
  if (setjmp(g_jump) != 0) return true;
  g_malloc(kTooMuch);
  return false;
}

// More often than there are levels of calls.
TEST_F(OomTest, LongjmpLeavesTheInstanceAsItWas) {
  SUBJECT(set_oom_handler)(&kJumps, nullptr);
  std::vector<void*> blocks;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(Leaves());
    blocks.push_back(g_malloc(i * 10));
    Fill(blocks.back(), i * 10, i);
  }
  EXPECT_EQ(LiveBlocks(), blocks.size());
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(!!Holds(blocks[i], i * 10, i));
    SUBJECT(free)(blocks[i]);
  }
  EXPECT_EQ(LiveBlocks(), 0u);
  // Nor does a level stay taken: then this would do nothing.
  SUBJECT(set_oom_handler)(nullptr, nullptr);
  SUBJECT(thread_detach)();
  SUBJECT(stats_t) stats = {};
  stats.struct_size = sizeof(stats);
  SUBJECT(stats)(&stats);
  EXPECT_EQ(stats.threads, 0u);
}

// ---- Levels ----

// Asks at each instruction of what it interrupts.
class Asker : public Stepping {
 public:
  int asked = 0;
  int in_handler = 0;
  int wrong = 0;

  static int Call(const Info*, void* context) {
    auto* const self = static_cast<Asker*>(context);
    ++self->asked;
    return SUBJECT(oom_fail);
  }

 private:
  void OnStep() override {
    const int before = asked;
    wrong += g_malloc(kTooMuch) != nullptr;
    // But not where the call that is interrupted asks.
    in_handler += asked == before;
    void* const block = g_malloc(100);
    wrong += block == nullptr;
    SUBJECT(free)(block);
  }
};

// The heap of a level is not the one that keeps the thread's handler.
TEST_F(OomTest, AThreadsHandlerIsFoundFromEveryLevel) {
  if (!IsOn("async_signal_safe")) GTEST_SKIP() << "no handler may call it";
  Asker asker;
  const Handler handler = {Asker::Call, &asker};
  ASSERT_EQ(SUBJECT(set_thread_oom_handler)(&handler, nullptr), 0);
  asker.Run([] { SUBJECT(free)(g_malloc(30000)); });
  EXPECT_GT(asker.asked, 100);
  EXPECT_EQ(asker.in_handler, 0);
  asker.Run([] { g_malloc(kTooMuch); });
  EXPECT_GT(asker.in_handler, 10) << "is not asked again in a handler";
  const int in_handler = asker.in_handler;
  const int asked = asker.asked;
  asker.Run([&] { SUBJECT(set_thread_oom_handler)(&handler, nullptr); });
  EXPECT_GT(asker.asked, asked);
  EXPECT_EQ(asker.in_handler, in_handler);
  EXPECT_EQ(asker.wrong, 0);
}

// ---- Stopping ----

TEST_F(OomTest, AbortNamesTheInstance) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  static const Handler aborts = {
      [](const Info*, void*) { return int{SUBJECT(oom_abort)}; }, nullptr};
  EXPECT_EXIT(
      {
        SUBJECT(set_oom_handler)(&aborts, nullptr);
        g_malloc(kTooMuch);
      },
      testing::KilledBySignal(SIGABRT),
      std::string("^alcove\\[") + subject::prefix +
          "\\]: out of memory: 140737484161024 bytes at a multiple of 16\n$");
}

}  // namespace
}  // namespace contract
