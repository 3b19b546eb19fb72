// Heaps whose threads were stopped in the middle of what takes more than one write:
// states of a bin that a kill at one instruction leaves, made by hand.
#include <sys/syscall.h>
#include <unistd.h>

#include "core/heap/heap.h"
#include "core/heap/instance.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kSize = 64;

class RepairTest : public InstanceTest {
 protected:
  static Bin& BinOf(Heap* heap) { return heap->bin(ClassOfSize(kSize)); }
};

// The block is taken out of its owner's hands meanwhile: sent twice, it would be freed
// under whoever has it the second time.
TEST_F(RepairTest, AnothersBlockInTwoSlotsIsSentOnce) {
  Heap* const heap = CurrentHeap();
  test_free(test_malloc(kSize));  // an array
  void* theirs = nullptr;
  std::atomic<int> stage{0};
  std::thread other([&] {
    theirs = test_malloc(kSize);
    stage = 1;
    while (stage == 1) platform::Yield();
    fake::Farewell();
  });
  while (stage == 0) platform::Yield();
  const size_t sent = heap->counts().sent_blocks.Get();
  // As in the middle of a move to make room.
  ASSERT_TRUE(BinOf(heap).PushOwn(theirs));
  ASSERT_TRUE(BinOf(heap).PushOwn(theirs));
  heap->Repair();
  EXPECT_EQ(heap->counts().sent_blocks.Get(), sent + 1);
  stage = 2;
  other.join();
  EXPECT_EQ(Stats().blocks_live, 0u);
}

// A unit of its own in two slots goes back once; a second time it may be another's.
TEST_F(RepairTest, ASpanInTwoSlotsGoesBackOnce) {
  Heap* const heap = CurrentHeap();
  void* units[4];
  for (void*& unit : units) {
    const Span span = heap->AllocateSpan(1, kUnit);
    unit = span.range->AddressOfUnit(span.first);
  }
  for (void* const unit : units) heap->KeepSpanOfSlab(unit, 1);
  Bin& bin = heap->bin(kUnitSpanClass);
  if (bin.own() < 2) GTEST_SKIP() << "nothing is cached";
  const size_t cached = bin.own();
  const size_t used = g_instance.region.used();
  // As in the middle of a move: the oldest is out, its neighbour there twice.
  void* const oldest = bin.bottom[0];
  bin.bottom[0] = bin.bottom[1];
  heap->Repair();
  EXPECT_EQ(g_instance.region.used(), used - (cached - 1))
      << oldest << " alone is lost";
}

// A handler that interrupted a call and ends the thread, by the thread's key or by
// thread_detach: what is given back is whole.
TEST_F(RepairTest, WhatIsGivenBackInTheMiddleOfACallIsWhole) {
  static void* block;
  static int deaths;
  deaths = 0;
  std::thread([] {
    block = test_malloc(kSize);
    test_free(test_malloc(kSize));
    void* spans[8];  // no vector: nobody comes to its end
    for (void*& span : spans) {
      span = test_malloc(1500000);
      memset(span, 1, 1500000);
    }
    for (void* const span : spans) test_free(span);
    const fake::ScopedHook hook(
        Primitive::kMilliseconds,
        [](void*) {
          Heap* const heap = CurrentHeap();
          if (deaths != 0 || !heap->interrupted()) return;
          ++deaths;
          // As in the middle of a move to make room.
          BinOf(heap).PushOwn(block);
          BinOf(heap).PushOwn(block);
          test_thread_detach();
          syscall(SYS_exit, 0);
        },
        nullptr);
    CurrentHeap()->DrainSpans();
    ADD_FAILURE() << "it was not interrupted";
  }).join();
  EXPECT_EQ(deaths, 1);
  const fake::ScopedHook none(
      Primitive::kMilliseconds, [](void*) {}, nullptr);
  for (Heap* heap = g_instance.registry.first(); heap != nullptr;
       heap = heap->next_heap) {
    EXPECT_FALSE(heap->interrupted());
    EXPECT_EQ(heap->thread(), 0u);
  }
  EXPECT_LE(Stats().blocks_live, 1u) << "the span in hand";
  // Handed out once.
  void* const first = test_malloc(kSize);
  void* const second = test_malloc(kSize);
  EXPECT_NE(first, second);
  test_free(first);
  test_free(second);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
