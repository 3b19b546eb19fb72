// How the end of a thread is noticed, by either value of the knob.
#include "core/api/thread_exit.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/api/state.h"
#include "tests/core/testing.h"

static thread_local bool keys_fail;

// As libc's where it finds no memory for a thread's values.
extern "C" int pthread_setspecific(pthread_key_t key,
                                   const void* value) noexcept {
  using Function = int (*)(pthread_key_t, const void*);
  static const auto libcs =
      reinterpret_cast<Function>(dlsym(RTLD_NEXT, "pthread_setspecific"));
  if (!keys_fail) return libcs(key, value);
  errno = ENOMEM;
  return ENOMEM;
}

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr bool kKey = Config::kThreadExit == ThreadExit::pthread_key;

class ThreadExitTest : public InstanceTest {
 protected:
  static size_t Heaps() {
    size_t n = 0;
    for (Heap* heap = g_instance.registry.first(); heap != nullptr;
         heap = heap->next_heap)
      ++n;
    return n;
  }
};

TEST_F(ThreadExitTest, TheCacheIsHandedBackAtOnceByKeyAndLaterByProbing) {
  std::thread([] {
    std::vector<void*> blocks;
    for (int i = 0; i < 100; ++i) blocks.push_back(test_malloc(1000));
    for (void* block : blocks) test_free(block);
  }).join();
  EXPECT_EQ(Stats().threads, kKey ? 0u : 1u);
  if (kKey) {
    EXPECT_EQ(Stats().bytes_cached, 0u);
    EXPECT_EQ(Stats().bytes_spans, 0u);
  }
  test_free(test_malloc(1));
  EXPECT_EQ(Heaps(), 1u) << "taken over either way";
}

TEST_F(ThreadExitTest, KeysDoNotAskTheSystem) {
  if (!kKey) GTEST_SKIP();
  std::thread([] { test_free(test_malloc(1)); }).join();
  const fake::ScopedForbid forbid(Primitive::kThreadMayBeAlive);
  test_free(test_malloc(1));
  EXPECT_EQ(Heaps(), 1u);
}

// Other keys' destructors may call the instance after ours has run.
TEST_F(ThreadExitTest, UseInLaterDestructors) {
  static pthread_key_t key;
  ASSERT_EQ(pthread_key_create(&key,
                               [](void* block) {
                                 EXPECT_TRUE(IsFilled(block, 100, 1));
                                 test_free(block);
                                 test_free(test_malloc(1000));
                               }),
            0);
  for (int i = 0; i < 50; ++i) {
    std::thread([] {
      void* const block = test_malloc(100);
      Fill(block, 100, 1);
      pthread_setspecific(key, block);
    }).join();
  }
  pthread_key_delete(key);
  EXPECT_EQ(Stats().blocks_live, 0u);
  EXPECT_LE(Heaps(), 2u);
}

TEST_F(ThreadExitTest, WithoutRoomForTheKeysValueErrnoStaysAndFreeWorks) {
  if (!Config::kSetErrno) GTEST_SKIP() << "it knows of no errno";
  void* const block = test_malloc(100);
  std::thread([block] {
    keys_fail = true;
    errno = E2BIG;
    test_free(block);
    const int after = errno;
    keys_fail = false;
    EXPECT_EQ(after, E2BIG);
    test_thread_detach();  // nobody would notice its end
  }).join();
  EXPECT_EQ(Stats().blocks_live, 0u);
}

TEST_F(ThreadExitTest, DetachedThreadsAreNotHandedBackTwice) {
  std::thread([] {
    test_free(test_malloc(100));
    test_thread_detach();
  }).join();
  test_free(test_malloc(100));
  EXPECT_EQ(Heaps(), 1u);
  EXPECT_EQ(Stats().threads, 1u);
}

// Shutdown lets the key go, and a later call makes another.
TEST_F(ThreadExitTest, KeysDoNotRunOut) {
  for (int i = 0; i < 3000; ++i) {  // libc has 1024
    test_free(test_malloc(1));
    ASSERT_EQ(test_shutdown(), 0);
  }
  pthread_key_t key;
  EXPECT_EQ(pthread_key_create(&key, nullptr), 0);
  pthread_key_delete(key);
}

TEST_F(ThreadExitTest, WithoutKeysThreadsAreProbed) {
  std::vector<pthread_key_t> keys;
  for (pthread_key_t key; pthread_key_create(&key, nullptr) == 0;)
    keys.push_back(key);
  EXPECT_FALSE(keys.empty());
  for (int i = 0; i < 10; ++i)
    std::thread([] { test_free(test_malloc(100)); }).join();
  EXPECT_EQ(Heaps(), 1u);
  for (const pthread_key_t key : keys) pthread_key_delete(key);
}

// The first threads of all race for the key.
TEST_F(ThreadExitTest, ManyFirstThreads) {
  for (int i = 0; i < 50; ++i) {
    RunThreads(4, [](unsigned) { test_free(test_malloc(100)); });
    ASSERT_EQ(test_shutdown(), 0);
  }
}

// What happens in the middle of a thread's end: when it purges what it gave back.
// With background_purge another thread would do that.
constexpr bool kPurgesAtItsEnd = kKey && !Config::kBackgroundPurge;
struct Middle {
  std::atomic<int> stage{0};
  std::atomic<bool> dies{false};
};

void InTheMiddle(void* context) {
  auto* const middle = static_cast<Middle*>(context);
  if (middle->stage != 1) return;
  middle->stage = 2;
  if (middle->dies) syscall(SYS_exit, 0);
  while (middle->stage == 2) platform::Yield();
}

// A thread with spans to give back, more than may lie about.
void EndWithSpans(Middle* middle) {
  std::vector<void*> spans;
  for (int i = 0; i < 8; ++i) {
    spans.push_back(test_malloc(1500000));
    memset(spans.back(), 1, 1500000);
  }
  for (void* const span : spans) test_free(span);
  middle->stage = 1;
}

TEST_F(ThreadExitTest, AChildDoesNotWaitForTheEndsOfItsParentsThreads) {
  if (!kPurgesAtItsEnd) GTEST_SKIP();
  test_free(test_malloc(1));
  Middle middle;
  const fake::ScopedHook hook(Primitive::kMilliseconds, InTheMiddle, &middle);
  std::thread ending(EndWithSpans, &middle);
  while (middle.stage != 2) platform::Yield();
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(test_shutdown() == 0 ? 0 : 1);
  }
  middle.stage = 3;
  ending.join();
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "it waited for a thread that is not there";
}

// The thread that forked is the only one that can say that the others are not there;
// it may end, or leave its heap, without another call.
void LeaveAChildTo(void (*leave)()) {
  std::atomic<int> stage{0};
  std::thread living([&] {
    test_free(test_malloc(1));
    stage = 1;
    while (stage == 1) platform::Yield();
    fake::Farewell();
  });
  while (stage == 0) platform::Yield();
  pid_t child = -1;
  std::thread([&] {
    test_free(test_malloc(1));
    child = fork();
    if (child == 0) {
      alarm(20);
      const platform::ThreadId first = platform::CurrentThread();
      leave();
      std::thread([first] {
        while (platform::ThreadMayBeAlive(first)) platform::Yield();
        _exit(test_shutdown());
      }).detach();
    }
    fake::Farewell();
  }).join();
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status),
            kKey || leave == test_thread_detach ? 0 : EBUSY);
  stage = 2;
  living.join();
}

TEST_F(ThreadExitTest, AForkedThreadLeavesItsHeapWithoutAnotherCall) {
  LeaveAChildTo(test_thread_detach);
}

// Without a key nobody hears of its end, as the public header says.
TEST_F(ThreadExitTest, AForkedThreadEndsWithoutAnotherCall) {
  LeaveAChildTo([] {});
}

TEST_F(ThreadExitTest, ShutdownDoesNotWaitForAThreadThatWasKilledAtItsEnd) {
  if (!kPurgesAtItsEnd) GTEST_SKIP();
  Middle middle;
  middle.dies = true;
  const fake::ScopedHook hook(Primitive::kMilliseconds, InTheMiddle, &middle);
  std::thread(EndWithSpans, &middle).join();
  EXPECT_EQ(middle.stage, 2);
  EXPECT_EQ(test_shutdown(), 0);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
