// An instance of one release beside one of this tree, in one program.
//
// The build names the instance by SUBJECT_HEADER, SUBJECT_INLINE_HEADER,
// SUBJECT_NAMESPACE, SUBJECT_PREFIX, and the releases by SUBJECT_VERSION and
// TODAYS_VERSION. What is called here, every release has had.
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/versions/today_heap.h"
#include SUBJECT_HEADER
#include SUBJECT_INLINE_HEADER

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define SUBJECT(name) JOIN(SUBJECT_PREFIX, name)

namespace {

constexpr size_t kSizes[] = {1,    8,     16,    100,    1000,   4096,
                             9000, 40000, 65536, 300000, 3000000};

void Fill(void* block, size_t size, int byte) {
  std::memset(block, byte, size);
}

bool Holds(const void* block, size_t size, int byte) {
  const auto* bytes = static_cast<const unsigned char*>(block);
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] != byte) return false;
  }
  return true;
}

TEST(Version, IsThatOfTheCore) {
  EXPECT_STREQ(SUBJECT(version)(), SUBJECT_VERSION);
  EXPECT_STREQ(today_version(), TODAYS_VERSION);
}

TEST(Version, BlocksAreApart) {
  struct Pair {
    void* subject;
    void* today;
    size_t size;
  };
  std::vector<Pair> pairs;
  for (int round = 0; round < 100; ++round) {
    for (const size_t size : kSizes) {
      if (size > 100000 && round > 2) continue;
      const Pair pair = {SUBJECT(malloc)(size), today_malloc(size), size};
      ASSERT_NE(pair.subject, nullptr);
      ASSERT_NE(pair.today, nullptr);
      Fill(pair.subject, size, 0x5a);
      Fill(pair.today, size, 0xa5);
      pairs.push_back(pair);
    }
  }
  for (const Pair& pair : pairs) {
    EXPECT_TRUE(Holds(pair.subject, pair.size, 0x5a));
    EXPECT_TRUE(Holds(pair.today, pair.size, 0xa5));
    EXPECT_TRUE(SUBJECT(owns)(pair.subject) && !today_owns(pair.subject));
    EXPECT_TRUE(today_owns(pair.today) && !SUBJECT(owns)(pair.today));
    SUBJECT(free)(pair.subject);
    today_free(pair.today);
  }
}

TEST(Version, ReallocAndCalloc) {
  void* block = SUBJECT(calloc)(10, 30);
  ASSERT_NE(block, nullptr);
  EXPECT_TRUE(Holds(block, 300, 0));
  Fill(block, 300, 0x77);
  block = SUBJECT(realloc)(block, 100000);
  ASSERT_NE(block, nullptr);
  EXPECT_TRUE(Holds(block, 300, 0x77));
  SUBJECT(free)(block);
}

TEST(Version, Cpp) {
  std::vector<int, SUBJECT_NAMESPACE::allocator<int>> subject(1000, 7);
  std::vector<int, today::allocator<int>> today(1000, 8);
  EXPECT_TRUE(SUBJECT(owns)(subject.data()) && today_owns(today.data()));
  EXPECT_EQ(subject.back() + today.back(), 15);
}

TEST(Version, Inlined) {
  void* block = SUBJECT_NAMESPACE::inlined::allocate<64>();
  ASSERT_NE(block, nullptr);
  EXPECT_TRUE(SUBJECT(owns)(block));
  SUBJECT_NAMESPACE::inlined::deallocate<64>(block);
}

// What one thread allocates another frees, in both instances at a time.
TEST(Version, Threads) {
  constexpr int kThreads = 4;
  std::vector<std::vector<void*>> subject(kThreads);
  std::vector<std::vector<void*>> today(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (size_t size = 0; size < 2000; ++size) {
        subject[i].push_back(SUBJECT(malloc)(size));
        today[i].push_back(today_malloc(size));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  threads.clear();
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (void* block : subject[(i + 1) % kThreads]) SUBJECT(free)(block);
      for (void* block : today[(i + 1) % kThreads]) today_free(block);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// The end of one is not the other's.
TEST(Version, Shutdown) {
  void* today = today_malloc(100);
  ASSERT_NE(today, nullptr);
  Fill(today, 100, 0x33);
  SUBJECT(free)(SUBJECT(malloc)(100));
  EXPECT_EQ(SUBJECT(shutdown)(), 0);
  EXPECT_TRUE(Holds(today, 100, 0x33));
  today_free(today);
  EXPECT_EQ(today_shutdown(), 0);
}

}  // namespace
