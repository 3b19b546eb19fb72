#include "core/heap/remote.h"

#include <algorithm>

#include "core/heap/instance.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class RemoteTest : public InstanceTest {
 protected:
  static Slab* SlabOf(const void* block) {
    const Range* const range = g_instance.region.RangeOf(block);
    return SlabAt(*range, block, EntryOf(*range, block));
  }
};

TEST_F(RemoteTest, AFreedBlockComesHome) {
  void* const block = test_malloc(512);
  Slab* const slab = SlabOf(block);
  std::thread([&] {
    test_free(block);
    test_thread_detach();  // sends it
  }).join();
  EXPECT_TRUE(CurrentHeap()->HasMail());
  EXPECT_EQ(slab->pending.Load(Order::kRelaxed), 1u);
  const unsigned before = slab->available;
  CurrentHeap()->Collect();
  EXPECT_EQ(slab->available, before + 1);
  EXPECT_EQ(slab->pending.Load(Order::kRelaxed), 0u);
  EXPECT_FALSE(CurrentHeap()->HasMail());
  EXPECT_EQ(Stats().blocks_live, 0u);
}

TEST_F(RemoteTest, ASlabIsAnnouncedOnce) {
  void* blocks[3];
  for (void*& block : blocks) block = test_malloc(512);
  Slab* const slab = SlabOf(blocks[0]);
  ASSERT_EQ(SlabOf(blocks[2]), slab);
  EXPECT_EQ(FreeRemotely(slab, 0, 1), 0u);
  EXPECT_EQ(FreeRemotely(slab, 0, 2), 0u);
  EXPECT_EQ(slab->next_pending.Load(Order::kRelaxed), nullptr)
      << "alone in the stack, once";
  EXPECT_EQ(FreeRemotely(slab, 0, 3), 3u) << "says what was freed already";
  CurrentHeap()->Collect();
  test_free(blocks[2]);
}

TEST_F(RemoteTest, MailForAnotherOwnerIsSentOn) {
  void* const block = test_malloc(512);
  Slab* const slab = SlabOf(block);
  Heap* const owner = CurrentHeap();
  std::thread([&] {
    Heap* const other = CurrentHeap();
    slab->remote[0].FetchOr(1, Order::kSeqCst);
    Announce(other,
             slab);  // a late step 3: the slab changed hands since step 1
    EXPECT_TRUE(other->HasMail());
    other->Collect();
    EXPECT_FALSE(other->HasMail());
  }).join();
  EXPECT_TRUE(owner->HasMail());
  owner->Collect();
  EXPECT_EQ(slab->remote[0].Load(Order::kRelaxed), 0u);
}

TEST_F(RemoteTest, MailForNobodyIsDropped) {
  void* const block = test_malloc(512);
  Slab* const slab = SlabOf(block);
  test_free(block);
  CurrentHeap()->Drain();  // the slab is no slab any more
  ASSERT_EQ(slab->owner.Load(Order::kRelaxed), nullptr);
  Announce(CurrentHeap(), slab);
  CurrentHeap()->Collect();
  EXPECT_EQ(slab->pending.Load(Order::kRelaxed), 0u);
  EXPECT_FALSE(CurrentHeap()->HasMail());
}

// A slab that waits in another heap's stack stays until it was seen there: as
// another owner's, its remote frees would wait for that heap.
TEST_F(RemoteTest, AnAnnouncedSlabIsReleasedAfterItsMail) {
  CurrentHeap();
  const unsigned per_slab = InfoOf(ClassOfSize(1024)).blocks;
  std::vector<void*> blocks;
  for (unsigned i = 0; i < 3 * per_slab; ++i)
    blocks.push_back(test_malloc(1024));
  Slab* const slab = SlabOf(blocks[per_slab]);
  std::atomic<int> step{0};
  std::thread other([&] {
    // Late, of a block that came home already.
    Announce(CurrentHeap(), slab);
    step = 1;
    while (step != 2) std::this_thread::yield();
    CurrentHeap()->Collect();
  });
  while (step != 1) std::this_thread::yield();
  for (void* block : blocks) test_free(block);
  CurrentHeap()->Drain();
  EXPECT_EQ(slab->owner.Load(Order::kRelaxed), CurrentHeap());
  EXPECT_EQ(slab->available, slab->blocks);
  step = 2;
  other.join();
  EXPECT_TRUE(CurrentHeap()->HasMail()) << "sent on";
  CurrentHeap()->Drain();
  EXPECT_EQ(slab->owner.Load(Order::kRelaxed), nullptr);
  EXPECT_EQ(Stats().bytes_spans, 0u);
}

// A ring of slots that several threads fill and empty: nearly every block is
// freed by another thread than allocated it, while its owner works on the same
// slab.
void Exchange(unsigned threads, int rounds) {
  constexpr size_t kSlots = 256;
  struct Block {
    size_t size;
    uint64_t tag;
  };
  std::vector<std::atomic<Block*>> slots(kSlots);
  std::atomic<uint64_t> bad{0};
  const auto release = [&](Block* block) {
    if (block == nullptr) return;
    bad += !IsFilled(block + 1, block->size - sizeof(Block), block->tag);
    block->tag = 0;
    test_free(block);
  };
  RunThreads(threads, [&](unsigned t) {
    Random random(t);
    for (int i = 0; i < rounds; ++i) {
      const size_t size =
          sizeof(Block) + random.Size(random.Below(50) == 0 ? 18 : 10);
      auto* const block = static_cast<Block*>(test_malloc(size));
      if (block == nullptr) {
        ++bad;
        continue;
      }
      block->size = Min(size, 300);
      block->tag = random.Next() | 1;
      Fill(block + 1, block->size - sizeof(Block), block->tag);
      release(slots[random.Below(kSlots)].exchange(block));
    }
  });
  for (auto& slot : slots) release(slot.load());
  EXPECT_EQ(bad, 0u);
  EXPECT_EQ(Stats().blocks_live, 0u) << "no free is lost";
}

TEST_F(RemoteTest, TwoThreads) {
  Exchange(2, Config::kCheckInvariants ? 20000 : 60000);
}
TEST_F(RemoteTest, FourThreads) {
  Exchange(4, Config::kCheckInvariants ? 10000 : 40000);
}
TEST_F(RemoteTest, EightThreads) {
  Exchange(8, Config::kCheckInvariants ? 5000 : 20000);
}

// One allocates, the other frees, and nothing else: memory must not grow
// without bound.
TEST_F(RemoteTest, ProducerAndConsumerReuseTheirMemory) {
  constexpr size_t kSlots = 1024;
  constexpr size_t kBlocks = 300000;
  std::vector<std::atomic<void*>> ring(kSlots);
  size_t spans = 0;
  RunThreads(2, [&](unsigned t) {
    for (size_t i = 0; i < kBlocks; ++i) {
      std::atomic<void*>& slot = ring[i % kSlots];
      if (t == 0) {
        while (slot.load() != nullptr) std::this_thread::yield();
        slot.store(test_malloc(64));
      } else {
        void* block;
        while ((block = slot.exchange(nullptr)) == nullptr)
          std::this_thread::yield();
        test_free(block);
      }
    }
    if (t == 0) spans = Stats().bytes_spans;
  });
  // 1024 live ones, 1024 in each cache, and what waits in slabs: far from 19
  // MB.
  EXPECT_LE(spans, size_t{2} << 20);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
