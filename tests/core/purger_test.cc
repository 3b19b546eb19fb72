// How those who make units dirty and the thread that purges meet, without the
// thread.
#include "core/region/purger.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

struct Generation {
  ~Generation() { generation.Release(); }
  ForkGeneration generation;
};

class Background : Generation, public Purger<true> {
 public:
  Background() : Purger<true>(&generation) {}
};

TEST(PurgerTest, OffItIsNothing) {
  struct Beside {
    uint64_t word;
    [[no_unique_address]] Purger<false> purger;
  };
  EXPECT_EQ(sizeof(Beside), sizeof(uint64_t));
  EXPECT_FALSE(Purger<false>(nullptr).wanted());
}

TEST(PurgerTest, OneStartsTheThread) {
  for (int round = 0; round < 50; ++round) {
    Background purger;
    std::atomic<int> starters{0};
    RunThreads(4, [&](unsigned) { starters += purger.BeginStart(); });
    ASSERT_EQ(starters, 1);
  }
}

TEST(PurgerTest, DirtWithoutAThreadWantsOne) {
  Background purger;
  const fake::ScopedForbid wake(Primitive::kWake);
  EXPECT_FALSE(purger.wanted());
  purger.Note();
  EXPECT_TRUE(purger.wanted());
  EXPECT_TRUE(purger.BeginStart());
  EXPECT_FALSE(purger.wanted());
  EXPECT_TRUE(purger.AwaitSilence()) << "what was dirty before is seen to";
}

TEST(PurgerTest, AFailureIsNotRepeatedAtOnce) {
  Background purger;
  ASSERT_TRUE(purger.BeginStart());
  purger.FailStart();
  EXPECT_FALSE(purger.AskToEnd()) << "there is nobody to wait for";
  for (int i = 0; i < 10; ++i) {
    purger.Note();
    EXPECT_TRUE(purger.wanted());
    EXPECT_FALSE(purger.BeginStart());
  }
  fake::WaitForTicks(1001 * platform::kTicksPerMillisecondMin);
  EXPECT_TRUE(purger.BeginStart());
}

TEST(PurgerTest, OnlyASleeperIsWoken) {
  Background purger;
  ASSERT_TRUE(purger.BeginStart());
  const fake::CallCounter wakes(Primitive::kWake);
  for (int i = 0; i < 10; ++i) purger.Note();
  EXPECT_EQ(wakes.calls(), 1u);
  EXPECT_TRUE(purger.AwaitSilence());
  for (int i = 0; i < 10; ++i) purger.Note();
  EXPECT_EQ(wakes.calls(), 2u);
}

struct Noise {
  Background* purger;
  int left;
};

// As long as more becomes dirty the delay begins anew, and nobody is woken.
TEST(PurgerTest, SilenceIsWaitedFor) {
  Background purger;
  ASSERT_TRUE(purger.BeginStart());
  purger.Note();
  Noise noise = {&purger, 5};
  const fake::ScopedHook hook(
      Primitive::kWait,
      [](void* context) {
        auto* const noise = static_cast<Noise*>(context);
        if (noise->left-- > 0) noise->purger->Note();
      },
      &noise);
  const fake::CallCounter waits(Primitive::kWait);
  const fake::ScopedForbid wake(Primitive::kWake);
  const uint64_t begin = platform::Milliseconds();
  EXPECT_TRUE(purger.AwaitSilence());
  EXPECT_EQ(waits.calls(), 6u);
  // The coarse clock can be up to 10 ms behind.
  EXPECT_GE(platform::Milliseconds() - begin + 10, Config::kPurgeDelayMs);
}

// A wake-up without a reason is neither silence nor the end of the wait for it.
TEST(PurgerTest, WokenForNothing) {
  Background purger;
  ASSERT_TRUE(purger.BeginStart());
  std::atomic<bool> silent{false};
  const uint64_t begin = platform::Milliseconds();
  std::thread thread([&] {
    EXPECT_TRUE(purger.AwaitSilence());
    silent = true;
    EXPECT_FALSE(purger.AwaitSilence());
  });
  purger.Note();
  // It is the first word of the object.
  const auto* const word =
      reinterpret_cast<const uint32_t*>(static_cast<Purger<true>*>(&purger));
  for (int i = 0; i < 20; ++i) {
    usleep(500);
    platform::Wake(word);
  }
  while (!silent) usleep(1000);
  // The coarse clock can be up to 10 ms behind.
  EXPECT_GE(platform::Milliseconds() - begin + 10, Config::kPurgeDelayMs);
  for (int i = 0; i < 20; ++i) {
    platform::Wake(word);
    usleep(500);
  }
  EXPECT_TRUE(purger.AskToEnd());
  thread.join();
}

TEST(PurgerTest, EndsWhateverItDoes) {
  for (int i = 0; i < 100; ++i) {
    Background purger;
    ASSERT_TRUE(purger.BeginStart());
    std::thread thread([&] {
      while (purger.AwaitSilence()) {
      }
    });
    if (i % 2 == 0) purger.Note();
    if (i % 4 < 2) std::this_thread::yield();
    EXPECT_TRUE(purger.AskToEnd());
    thread.join();
    purger.Reset();
    EXPECT_FALSE(purger.AskToEnd());
    EXPECT_TRUE(purger.BeginStart());
  }
}

enum class Before { kNothing, kDirt, kPurge };

// 'k' for all well.
char InChild(Background* purger, Before before) {
  if (purger->AskToEnd()) return 'e';
  const fake::ScopedForbid wake(Primitive::kWake);
  if (before == Before::kNothing) {
    purger->Note();
    if (!purger->wanted()) return 'w';
  }
  if (!purger->BeginStart()) return 's';
  return purger->AwaitSilence() ? 'k' : 'q';
}

// What the parent's thread had to see to, or was at, is for the child's.
void AChildOfForkHasNoThread() {
  for (const Before before :
       {Before::kNothing, Before::kDirt, Before::kPurge}) {
    Background purger;
    ASSERT_TRUE(purger.BeginStart());
    if (before != Before::kNothing) purger.Note();
    if (before == Before::kPurge) {
      ASSERT_TRUE(purger.AwaitSilence());
    }
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(InChild(&purger, before));
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 'k') << static_cast<int>(before);
  }
}

TEST(PurgerTest, AChildOfForkHasNoThread) { AChildOfForkHasNoThread(); }

TEST(PurgerTest, NorHasAChildOfTheSameId) {
  const fake::ScopedProcess process(100);
  AChildOfForkHasNoThread();
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
