#include "core/region/store.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kChunk = size_t{256} << 10;

class StoreTest : public testing::Test {
 protected:
  StoreTest() : mapped_(fake::MappedBytes()) { store_.Begin(&region_); }
  ~StoreTest() override {
    store_.Release();
    EXPECT_EQ(fake::MappedBytes(), mapped_);
  }
  Region region_;
  Store store_;

 private:
  int64_t mapped_;
};

TEST_F(StoreTest, NothingIsMappedInTheBeginning) {
  const fake::ScopedForbid forbid(Primitive::kMap);
  EXPECT_EQ(store_.mapped(), 0u);
  Store other;
  other.Release();
}

TEST_F(StoreTest, ObjectsAreAlignedZeroAndDistinct) {
  Random random;
  std::vector<std::pair<char*, size_t>> objects;
  for (int i = 0; i < 300; ++i) {
    const size_t size = 1 + random.Below(8192);
    auto* const object = static_cast<char*>(store_.Take(size));
    ASSERT_NE(object, nullptr);
    ASSERT_EQ(AddressOf(object) % kStoreGranule, 0u);
    ASSERT_TRUE(IsZero(object, size));
    memset(object, 1 + i % 255, size);
    objects.push_back({object, size});
  }
  std::sort(objects.begin(), objects.end());
  for (size_t i = 1; i < objects.size(); ++i) {
    ASSERT_LE(objects[i - 1].first + objects[i - 1].second, objects[i].first);
  }
}

TEST_F(StoreTest, ChunksAreFilledBeforeAnotherIsMapped) {
  const fake::CallCounter maps(Primitive::kMap);
  // A granule of a chunk is its own.
  for (size_t i = 1; i < kChunk / kStoreGranule; ++i) store_.Take(1);
  EXPECT_EQ(maps.calls(), 1u);
  EXPECT_EQ(store_.mapped(), kChunk);
  store_.Take(1);
  EXPECT_EQ(maps.calls(), 2u);
  EXPECT_EQ(store_.mapped(), 2 * kChunk);
}

TEST_F(StoreTest, AnObjectLiesInOneChunk) {
  for (size_t i = 0; i < 200; ++i) {
    auto* const object = static_cast<char*>(store_.Take(5000));
    ASSERT_NE(object, nullptr);
    memset(object, 1, 5000);
  }
  EXPECT_EQ(store_.mapped(),
            200 / ((kChunk - kStoreGranule) / 5120) * kChunk + kChunk);
}

TEST_F(StoreTest, ReleaseUnmapsAllAndItBeginsAnew) {
  const int64_t mapped = fake::MappedBytes();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) ASSERT_NE(store_.Take(8192), nullptr);
    EXPECT_GT(fake::MappedBytes(), mapped);
    store_.Release();
    EXPECT_EQ(fake::MappedBytes(), mapped);
    EXPECT_EQ(store_.mapped(), 0u);
  }
}

TEST_F(StoreTest, NoMemory) {
  {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    EXPECT_EQ(store_.Take(512), nullptr);
    EXPECT_EQ(store_.Take(512), nullptr);
    EXPECT_EQ(store_.mapped(), 0u);
  }
  void* const object = store_.Take(512);
  ASSERT_NE(object, nullptr);
  {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    size_t count = 1;
    while (store_.Take(512) != nullptr) ++count;
    EXPECT_EQ(count, kChunk / kStoreGranule - 1) << "what is left is given out";
    for (int i = 0; i < 10; ++i) EXPECT_EQ(store_.Take(512), nullptr);
  }
  EXPECT_NE(store_.Take(512), nullptr);
  EXPECT_EQ(store_.mapped(), 2 * kChunk);
}

TEST_F(StoreTest, ManyThreadsTakeDistinctObjects) {
  std::mutex mutex;
  std::set<void*> all;
  RunThreads(8, [&](unsigned) {
    std::vector<void*> mine;
    for (int i = 0; i < 300; ++i) mine.push_back(store_.Take(1024));
    const std::lock_guard<std::mutex> lock(mutex);
    for (void* object : mine) {
      ASSERT_NE(object, nullptr);
      ASSERT_TRUE(all.insert(object).second);
    }
  });
  EXPECT_LE(store_.mapped(),
            (8 * 300 / ((kChunk - kStoreGranule) / 1024) + 1) * kChunk)
      << "those who were late give theirs back";
}

// While one thread maps a chunk, another one is faster.
TEST_F(StoreTest, ALateChunkGoesBack) {
  struct Other {
    Store* store;
    void* object = nullptr;
    static void Take(void* context) {
      auto* const self = static_cast<Other*>(context);
      if (self->object == nullptr) self->object = self->store->Take(512);
    }
  } other{&store_};
  const int64_t mapped = fake::MappedBytes();
  const fake::ScopedHook hook(Primitive::kMap, &Other::Take, &other);
  void* const object = store_.Take(512);
  ASSERT_NE(object, nullptr);
  ASSERT_NE(other.object, nullptr);
  EXPECT_NE(object, other.object);
  EXPECT_EQ(fake::MappedBytes() - mapped, static_cast<int64_t>(kChunk));
}

// ---- Stack ----

struct alignas(kStoreGranule) Item {
  Atomic<Item*> next;
  std::atomic<int> holders{0};
  unsigned number = 0;
};

TEST(StackTest, LastInFirstOut) {
  std::vector<Item> items(5);
  Stack<Item> stack;
  EXPECT_EQ(stack.Pop(), nullptr);
  for (Item& item : items) stack.Push(&item);
  EXPECT_EQ(stack.Pop(), &items[4]);
  stack.Push(&items[4]);
  for (size_t i = 5; i-- > 0;) EXPECT_EQ(stack.Pop(), &items[i]);
  EXPECT_EQ(stack.Pop(), nullptr);
  EXPECT_EQ(stack.Pop(), nullptr);
}

TEST(StackTest, ResetForgetsAll) {
  std::vector<Item> items(2);
  Stack<Item> stack;
  stack.Push(&items[0]);
  stack.Push(&items[1]);
  stack.Reset();
  EXPECT_EQ(stack.Pop(), nullptr);
  stack.Push(&items[0]);
  EXPECT_EQ(stack.Pop(), &items[0]);
  EXPECT_EQ(stack.Pop(), nullptr);
}

TEST(StackTest, TheCountAboveTheAddressWrapsAround) {
  std::vector<Item> items(2);
  Stack<Item> stack;
  stack.Push(&items[0]);
  uint64_t head;
  static_assert(sizeof(stack) == sizeof(head));
  memcpy(&head, static_cast<void*>(&stack), sizeof(head));
  head |= ~uint64_t{0} << 40;  // about to
  memcpy(static_cast<void*>(&stack), &head, sizeof(head));
  for (int i = 0; i < 10; ++i) {
    stack.Push(&items[1]);
    ASSERT_EQ(stack.Pop(), &items[1]);
  }
  EXPECT_EQ(stack.Pop(), &items[0]);
  EXPECT_EQ(stack.Pop(), nullptr);
}

// Each item is with one holder at a time, and none gets lost. With few items the
// head that a pop saw comes back all the time with another one below it.
void Stress(size_t count, unsigned threads, int rounds) {
  std::vector<Item> items(count);
  Stack<Item> stack;
  for (Item& item : items) stack.Push(&item);
  std::atomic<int> doubled{0};
  RunThreads(threads, [&](unsigned t) {
    Random random(t);
    std::vector<Item*> mine;
    for (int i = 0; i < rounds; ++i) {
      Item* const item = stack.Pop();
      if (item != nullptr) {
        if (item->holders.fetch_add(1) != 0) ++doubled;
        mine.push_back(item);
      }
      if (item == nullptr || random.Below(2) == 0) {
        while (!mine.empty()) {
          const size_t which = random.Below(mine.size());
          std::swap(mine[which], mine.back());
          mine.back()->holders.fetch_sub(1);
          stack.Push(mine.back());
          mine.pop_back();
        }
      }
    }
    for (Item* item : mine) {
      item->holders.fetch_sub(1);
      stack.Push(item);
    }
  });
  EXPECT_EQ(doubled, 0);
  std::set<Item*> left;
  for (Item* item; left.size() <= count && (item = stack.Pop()) != nullptr;)
    EXPECT_TRUE(left.insert(item).second);
  EXPECT_EQ(left.size(), count);
}

TEST(StackTest, ManyThreadsLoseAndDoubleNothing) { Stress(1000, 8, 20000); }

TEST(StackTest, AHeadThatWentAndCameBackIsNotTakenForTheOne) {
  Stress(3, 4, 100000);
  Stress(2, 8, 50000);
}

// The same step by step: between the look at the head and the exchange, the
// head goes, the one below it goes, and the head comes back.
TEST(StackTest, TheHeadSaysHowOftenItChanged) {
  std::vector<Item> items(3);
  Stack<Item> stack;
  stack.Push(&items[0]);
  stack.Push(&items[1]);
  uint64_t before;
  uint64_t after;
  static_assert(sizeof(stack) == sizeof(before));
  memcpy(&before, static_cast<void*>(&stack), sizeof(before));
  ASSERT_EQ(stack.Pop(), &items[1]);
  ASSERT_EQ(stack.Pop(), &items[0]);
  stack.Push(&items[1]);
  memcpy(&after, static_cast<void*>(&stack), sizeof(after));
  EXPECT_NE(before, after);
  EXPECT_EQ(stack.Pop(), &items[1]);
  EXPECT_EQ(stack.Pop(), nullptr);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
