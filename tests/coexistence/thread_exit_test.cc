// What the instances take of libc: a pthread key for each hosted one, its own,
// and nothing for the others; and what each does when a thread ends.
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include <set>
#include <thread>

#include "gtest/gtest.h"
#include "tests/coexistence/crew.h"
#include "tests/coexistence/heaps.h"
#include "tests/isolation/process.h"

namespace coexistence {
namespace {

using isolation::KeysLeft;

void Use(const Heap& heap) {
  void* blocks[100];
  for (void*& block : blocks) block = heap.functions.malloc(100);
  for (void* const block : blocks) heap.functions.free(block);
}

// The keys under which the calling thread has something.
std::set<pthread_key_t> KeysInUse() {
  std::set<pthread_key_t> keys;
  for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; ++key) {
    if (pthread_getspecific(key) != nullptr) keys.insert(key);
  }
  return keys;
}

class ThreadExitTest : public testing::Test {
 protected:
  ~ThreadExitTest() override {
    for (const Heap& heap : Heaps()) EXPECT_EQ(heap.shutdown(), 0);
  }
};

TEST_F(ThreadExitTest, AKeyOfItsOwnForEachHostedInstance) {
  EXPECT_TRUE(MallocIsJemalloc());
  const size_t left_before = KeysLeft();
  const std::set<pthread_key_t> before = KeysInUse();
  size_t hosted = 0;
  for (const Heap& heap : Heaps()) {
    for (int times = 0; times < 2; ++times) Use(heap);
    std::thread([&] { Use(heap); }).join();
    hosted += heap.IsHosted();
    EXPECT_EQ(KeysLeft(), left_before - hosted) << heap.prefix;
    EXPECT_EQ(KeysInUse().size(), before.size() + hosted) << heap.prefix;
  }
  EXPECT_EQ(hosted, kHeaps / 2);
  for (const Heap& heap : Heaps()) {
    EXPECT_EQ(heap.shutdown(), 0) << heap.prefix;
    hosted -= heap.IsHosted();
    EXPECT_EQ(KeysLeft(), left_before - hosted) << heap.prefix;
  }
  EXPECT_EQ(KeysInUse(), before);
}

// `threads` counts who is in an instance. A default one asks the kernel who has
// ended when it next needs to know: it is told of no end by anybody's hook.
TEST_F(ThreadExitTest, EachHostedInstanceIsToldOfIt) {
  std::thread([] {
    for (const Heap& heap : Heaps()) {
      Use(heap);
      EXPECT_EQ(heap.figures().threads, 1u) << heap.prefix;
    }
  }).join();
  for (const Heap& heap : Heaps())
    EXPECT_EQ(heap.figures().threads, heap.IsHosted() ? 0u : 1u) << heap.prefix;
}

TEST_F(ThreadExitTest, OneThatHasEndedIsNotMissed) {
  constexpr int kThreads = 4;
  for (const Heap& gone : Heaps()) {
    SCOPED_TRACE(gone.prefix);
    {
      Crew crew(kThreads);
      crew.Run([] {
        for (const Heap& heap : Heaps()) Use(heap);
      });
      EXPECT_EQ(gone.shutdown(), EBUSY);
      crew.Run(gone.thread_detach);
      EXPECT_EQ(gone.shutdown(), 0);
      for (const Heap& heap : Heaps())
        EXPECT_EQ(heap.figures().threads, &heap == &gone ? 0u : kThreads)
            << heap.prefix;
    }
    for (const Heap& heap : Heaps()) {
      if (heap.IsHosted()) {
        EXPECT_EQ(heap.figures().threads, 0u) << heap.prefix;
      }
      EXPECT_EQ(heap.shutdown(), 0) << heap.prefix;
    }
  }
}

// The threads still have the one's cache when it ends, as if it were unloaded.
TEST_F(ThreadExitTest, NorIsOneThatWasAbandoned) {
  for (const Heap& gone : Heaps()) {
    SCOPED_TRACE(gone.prefix);
    {
      Crew crew(4);
      crew.Run([] {
        for (const Heap& heap : Heaps()) Use(heap);
      });
      gone.abandon();
    }
    for (const Heap& heap : Heaps()) {
      if (heap.IsHosted()) {
        EXPECT_EQ(heap.figures().threads, 0u) << heap.prefix;
      }
      EXPECT_EQ(heap.shutdown(), 0) << heap.prefix;
    }
  }
}

}  // namespace
}  // namespace coexistence
