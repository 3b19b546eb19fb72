#include "core/arena/ledger.h"

#include <algorithm>
#include <map>
#include <new>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr unsigned kSlots = LedgerGroup::kSlots;

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() : ledger_(new Ledger), mapped_(fake::MappedBytes()) {
    store_.Begin(&region_);
  }
  ~LedgerTest() override {
    store_.Release();
    EXPECT_EQ(fake::MappedBytes(), mapped_);
    delete ledger_;
  }

  static char* Unit(size_t number) {
    return reinterpret_cast<char*>(number << kUnitShift);
  }
  Ledger::Slot* Find() { return ledger_->Find(&store_, &spare_); }
  Ledger::Slot* Enter(size_t number, size_t units = 1) {
    Ledger::Slot* const slot = Find();
    Ledger::Write(slot, Unit(number), units);
    return slot;
  }
  std::map<const void*, size_t> All() const {
    std::map<const void*, size_t> all;
    ledger_->ForEach([&](LedgerEntry entry) {
      EXPECT_TRUE(all.emplace(entry.start(), entry.units()).second);
    });
    return all;
  }
  size_t Spares() {
    std::vector<LedgerGroup*> groups;
    for (LedgerGroup* group; (group = spare_.Pop()) != nullptr;)
      groups.push_back(group);
    for (LedgerGroup* group : groups) spare_.Push(group);
    return groups.size();
  }

  Region region_;
  Store store_;
  Stack<LedgerGroup> spare_;
  Ledger* ledger_;

 private:
  int64_t mapped_;
};

TEST(LedgerEntryTest, KeepsTheWholeAddressSpaceAndTheLongestSpan) {
  const auto address = reinterpret_cast<char*>(uintptr_t{0x7fffffff0000});
  const LedgerEntry entry(LedgerEntry::Of(address, kRequestMax >> kUnitShift));
  EXPECT_EQ(entry.start(), address);
  EXPECT_EQ(entry.units(), kRequestMax >> kUnitShift);
  EXPECT_NE(LedgerEntry::Of(address, 1), 0u) << "0 is none";
}

TEST_F(LedgerTest, WhatIsWrittenIsVisited) {
  EXPECT_TRUE(All().empty());
  Ledger::Slot* const one = Enter(5, 3);
  Enter(100, 1);
  EXPECT_EQ(All(),
            (std::map<const void*, size_t>{{Unit(5), 3}, {Unit(100), 1}}));
  Ledger::Write(one, Unit(5), 7);
  EXPECT_EQ(All().at(Unit(5)), 7u) << "it may change its length";
  Ledger::Remove(one);
  EXPECT_EQ(All(), (std::map<const void*, size_t>{{Unit(100), 1}}));
}

TEST_F(LedgerTest, WhatStaysSaysSo) {
  Enter(5, 3);
  Ledger::WriteForGood(Find(), Unit(100), 7);
  Ledger::WriteForGood(Find(), reinterpret_cast<char*>(0x7fffffff0000), 1);
  EXPECT_EQ(All(), (std::map<const void*, size_t>{
                       {Unit(5), 3},
                       {Unit(100), 7},
                       {reinterpret_cast<char*>(0x7fffffff0000), 1}}));
  ledger_->ForEach([&](LedgerEntry entry) {
    EXPECT_EQ(entry.stays(), entry.start() != Unit(5));
  });
}

TEST_F(LedgerTest, HasOne) {
  EXPECT_FALSE(ledger_->HasOne());
  Ledger::Slot* const slot = Enter(5);
  EXPECT_TRUE(ledger_->HasOne());
  Enter(6);
  EXPECT_FALSE(ledger_->HasOne());
  Ledger::Remove(slot);
  EXPECT_FALSE(ledger_->HasOne()) << "there were two";
}

TEST_F(LedgerTest, ASlotThatIsFoundIsNoneUntilItIsWritten) {
  Ledger::Slot* const slot = Find();
  EXPECT_TRUE(All().empty());
  Ledger::Remove(slot);
  EXPECT_TRUE(All().empty());
}

TEST_F(LedgerTest, TheFirstGroupNeedsNoMemory) {
  const fake::ScopedForbid forbid(Primitive::kMap);
  for (unsigned i = 0; i < kSlots; ++i) Enter(i + 1);
  EXPECT_EQ(All().size(), kSlots);
}

TEST_F(LedgerTest, SlotsAreUsedAgainBeforeAnotherGroupIsTaken) {
  std::vector<Ledger::Slot*> slots;
  for (unsigned i = 0; i < kSlots; ++i) slots.push_back(Enter(i + 1));
  const fake::ScopedForbid forbid(Primitive::kMap);
  Random random;
  for (size_t i = 0; i < 1000; ++i) {
    const size_t which = random.Below(slots.size());
    Ledger::Remove(slots[which]);
    Ledger::Slot* const again = Enter(1000 + i);
    ASSERT_EQ(again, slots[which]) << "the only one that is empty";
    ASSERT_EQ(All().size(), kSlots);
  }
  // Several at once.
  for (unsigned i = 0; i < 10; ++i) Ledger::Remove(slots[i * 3]);
  EXPECT_EQ(All().size(), kSlots - 10);
  std::vector<Ledger::Slot*> again;
  for (unsigned i = 0; i < 10; ++i) again.push_back(Enter(5000 + i));
  std::sort(again.begin(), again.end());
  EXPECT_EQ(std::unique(again.begin(), again.end()), again.end());
  EXPECT_EQ(All().size(), kSlots);
}

TEST_F(LedgerTest, ASlotThatWasNotNeededIsUsedAgain) {
  for (unsigned i = 0; i < kSlots - 1; ++i) Enter(i + 1);
  const fake::ScopedForbid forbid(Primitive::kMap);
  for (int i = 0; i < 500; ++i) Ledger::Remove(Find());
  EXPECT_EQ(All().size(), kSlots - 1);
}

TEST_F(LedgerTest, ManyGroups) {
  std::vector<Ledger::Slot*> slots;
  for (unsigned i = 0; i < 10 * kSlots; ++i)
    slots.push_back(Enter(i + 1, i + 1));
  EXPECT_EQ(All().size(), 10 * kSlots);
  EXPECT_GT(store_.mapped(), 0u);
  // Gaps in every group are found again.
  Random random;
  size_t removed = 0;
  for (unsigned i = 0; i < slots.size(); ++i) {
    if (random.Below(3) != 0) continue;
    Ledger::Remove(slots[i]);
    ++removed;
    EXPECT_EQ(All().count(Unit(i + 1)), 0u);
  }
  EXPECT_EQ(All().size(), 10 * kSlots - removed);
  {
    const fake::ScopedForbid forbid(Primitive::kMap);
    for (size_t i = 0; i < removed; ++i) Enter(100000 + i);
  }
  EXPECT_EQ(All().size(), 10 * kSlots);
}

TEST_F(LedgerTest, ClearLeavesAllGroupsButTheFirstToTheSpareOnes) {
  for (unsigned i = 0; i < 4 * kSlots; ++i) Enter(i + 1);
  ledger_->Clear(&spare_);
  EXPECT_TRUE(All().empty());
  EXPECT_EQ(Spares(), 3u);
  ledger_->Clear(&spare_);
  EXPECT_EQ(Spares(), 3u);
  // As it was in the beginning, but for what fills it up.
  alignas(Ledger) char fresh[sizeof(Ledger)] = {};
  new (fresh) Ledger;
  alignas(Ledger) char cleared[sizeof(Ledger)] = {};
  Ledger* const other = new (cleared) Ledger;
  for (unsigned i = 0; i < 2 * kSlots; ++i)
    Ledger::Write(other->Find(&store_, &spare_), Unit(i + 1), 1);
  other->Clear(&spare_);
  EXPECT_EQ(memcmp(fresh, cleared, sizeof(fresh)), 0);
  for (unsigned i = 0; i < kSlots; ++i) Enter(i + 1);
  EXPECT_EQ(Spares(), 3u);
  const fake::ScopedForbid forbid(Primitive::kMap);
  for (unsigned i = 0; i < 3 * kSlots; ++i) Enter(1000 + i);
  EXPECT_EQ(Spares(), 0u);
  EXPECT_EQ(All().size(), 4 * kSlots);
}

TEST_F(LedgerTest, ASpareGroupIsTakenAlone) {
  // It comes off the stack with the next one's address.
  for (unsigned i = 0; i < 4 * kSlots; ++i) Enter(i + 1);
  ledger_->Clear(&spare_);
  Ledger other;
  for (unsigned i = 0; i < kSlots + 1; ++i) Enter(i + 1);
  for (unsigned i = 0; i < kSlots + 1; ++i)
    Ledger::Write(other.Find(&store_, &spare_), Unit(5000 + i), 1);
  EXPECT_EQ(Spares(), 1u);
  EXPECT_EQ(All().size(), kSlots + 1);
  for (unsigned i = 0; i < kSlots; ++i) Enter(1000 + i);
  EXPECT_EQ(All().size(), 2 * kSlots + 1);
  size_t others = 0;
  other.ForEach([&](LedgerEntry entry) {
    EXPECT_GE(entry.start(), Unit(5000));
    ++others;
  });
  EXPECT_EQ(others, kSlots + 1);
  other.Clear(&spare_);
}

TEST_F(LedgerTest, NoMemoryForAGroup) {
  for (unsigned i = 0; i < kSlots; ++i) Enter(i + 1);
  {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    EXPECT_EQ(Find(), nullptr);
    EXPECT_EQ(Find(), nullptr);
    EXPECT_EQ(All().size(), kSlots);
  }
  EXPECT_NE(Enter(1000), nullptr);
  EXPECT_EQ(All().size(), kSlots + 1);
}

TEST_F(LedgerTest, RemovalByOtherThreads) {
  constexpr unsigned kThreads = 3;
  constexpr size_t kSpans = 20000;
  std::vector<std::atomic<Ledger::Slot*>> mail(kThreads);
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (;;) {
        const bool last = done.load();
        Ledger::Slot* const slot = mail[t].exchange(nullptr);
        if (slot != nullptr) {
          Ledger::Remove(slot);
        } else if (last) {
          return;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  Random random;
  size_t kept = 0;
  for (size_t i = 0; i < kSpans; ++i) {
    Ledger::Slot* const slot = Find();
    ASSERT_NE(slot, nullptr);
    ASSERT_EQ(slot->Load(Order::kRelaxed), 0u) << "no two get the same one";
    Ledger::Write(slot, Unit(i + 1), 1);
    Ledger::Slot* none = nullptr;
    if (!mail[random.Below(kThreads)].compare_exchange_strong(none, slot)) {
      if (kept < 150) {
        ++kept;
      } else {
        Ledger::Remove(slot);
      }
    }
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(All().size(), kept);
  // Every empty slot is found again: nothing new is mapped for them.
  EXPECT_LE(store_.mapped(), size_t{256} << 10);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
