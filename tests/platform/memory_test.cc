#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "gtest/gtest.h"
#include "platform/platform.h"
#include "tests/platform/crowd.h"
#include "tests/platform/mappings.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace {

using alcove_tests::MappedBytesIn;
using alcove_tests::MappingsIn;
using alcove_tests::ReadMappings;

constexpr size_t kMiB = size_t{1} << 20;

bool AllAre(const void* p, size_t size, unsigned char byte) {
  const auto* bytes = static_cast<const unsigned char*>(p);
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] != byte) return false;
  }
  return true;
}

// Reserved and committed, given back at the end.
class Committed {
 public:
  explicit Committed(size_t size)
      : size_(size), p_(static_cast<char*>(Reserve(size, 4096))) {
    EXPECT_NE(p_, nullptr);
    EXPECT_TRUE(Commit(p_, size));
  }
  ~Committed() { EXPECT_TRUE(Unmap(p_, size_)); }
  char* get() const { return p_; }

 private:
  size_t size_;
  char* p_;
};

class MemoryTest : public testing::Test {
 protected:
  MemoryTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};
using MemoryDeathTest = MemoryTest;

TEST_F(MemoryTest, PageSizeIsTheSystems) {
  EXPECT_EQ(PageSize(), static_cast<size_t>(sysconf(_SC_PAGESIZE)));
}

TEST_F(MemoryTest, ReserveAligns) {
  for (size_t alignment = 1; alignment <= 64 * kMiB; alignment *= 2) {
    void* const p = Reserve(kMiB, alignment);
    ASSERT_NE(p, nullptr) << alignment;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % alignment, 0u);
    EXPECT_EQ(MappedBytesIn(p, kMiB, "---p"), kMiB);
    EXPECT_TRUE(Unmap(p, kMiB));
    EXPECT_EQ(MappedBytesIn(p, kMiB), 0u);
  }
}

TEST_F(MemoryTest, ReserveGivesItsSurplusBack) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's own mappings come and go";
#endif
  // Neighbours merge in the list, so count all inaccessible bytes of the
  // process.
  const auto inaccessible = [] {
    size_t bytes = 0;
    for (const auto& mapping : ReadMappings()) {
      if (mapping.access == "---p") bytes += mapping.end - mapping.begin;
    }
    return bytes;
  };
  for (int i = 0; i < 8; ++i) {
    const size_t before = inaccessible();
    void* const p = Reserve(3 * kMiB, 32 * kMiB);
    ASSERT_NE(p, nullptr);
    EXPECT_EQ(inaccessible() - before, 3 * kMiB);
    ASSERT_TRUE(Unmap(p, 3 * kMiB));
    EXPECT_EQ(inaccessible(), before);
  }
}

TEST_F(MemoryTest, ReserveRefusesWhatCannotBe) {
  errno = 77;
  EXPECT_EQ(Reserve(size_t{1} << 60, 4096), nullptr);
  EXPECT_EQ(Reserve(~size_t{0} - 4095, 2 * kMiB), nullptr)
      << "size and alignment overflow";
  EXPECT_EQ(Reserve(kMiB, size_t{1} << 60), nullptr);
  EXPECT_EQ(errno, 77);
}

TEST_F(MemoryDeathTest, ReservedMemoryIsInaccessible) {
  auto* const p = static_cast<volatile char*>(Reserve(kMiB, 4096));
  ASSERT_NE(p, nullptr);
  // A sanitizer turns the signal into a report of its own.
  EXPECT_DEATH([[maybe_unused]] const char read = *p, "");
  EXPECT_DEATH(p[kMiB - 1] = 1, "");
  EXPECT_TRUE(Unmap(const_cast<char*>(p), kMiB));
}

TEST_F(MemoryTest, CommitMakesAccessibleAndZero) {
  char* const p = static_cast<char*>(Reserve(kMiB, 4096));
  ASSERT_TRUE(Commit(p + 4096, 8192));
  EXPECT_EQ(MappedBytesIn(p, kMiB, "rw-p"), 8192u);
  EXPECT_TRUE(AllAre(p + 4096, 8192, 0));
  memset(p + 4096, 0x5a, 8192);
  // Again, over what is committed already.
  ASSERT_TRUE(Commit(p, kMiB));
  EXPECT_TRUE(AllAre(p + 4096, 8192, 0x5a));
  EXPECT_TRUE(AllAre(p + 3 * 4096, kMiB - 3 * 4096, 0));
  EXPECT_EQ(MappingsIn(p, kMiB).size(), 1u);
  EXPECT_TRUE(Unmap(p, kMiB));
}

TEST_F(MemoryTest, CommitOfWhatIsNotOursFails) {
  char* const p = static_cast<char*>(Reserve(2 * 4096, 4096));
  ASSERT_TRUE(Unmap(p + 4096, 4096));
  errno = 77;
  EXPECT_FALSE(Commit(p + 4096, 4096));
  EXPECT_EQ(errno, 77);
  EXPECT_TRUE(Unmap(p, 4096));
}

TEST_F(MemoryTest, MapIsZeroAndWritable) {
  char* const p = static_cast<char*>(Map(kMiB));
  ASSERT_NE(p, nullptr);
  EXPECT_TRUE(AllAre(p, kMiB, 0));
  memset(p, 1, kMiB);
  EXPECT_TRUE(Unmap(p, kMiB));
  EXPECT_EQ(MappedBytesIn(p, kMiB), 0u);
}

TEST_F(MemoryTest, MapCostsNothingUntouched) {
  constexpr size_t kSize = 256 * kMiB;
  char* const p = static_cast<char*>(Map(kSize));
  ASSERT_NE(p, nullptr);
  p[kSize / 2] = 1;
  std::vector<unsigned char> resident(kSize / 4096);
  ASSERT_EQ(mincore(p, kSize, resident.data()), 0);
  size_t pages = 0;
  for (const unsigned char page : resident) pages += page & 1;
  EXPECT_LE(pages, 512u);  // a huge page at most
  EXPECT_TRUE(Unmap(p, kSize));
}

TEST_F(MemoryTest, AChildFindsWipedWhatItsParentKeeps) {
  char* const p = static_cast<char*>(MapWipedByFork(2 * 4096));
  ASSERT_NE(p, nullptr);
  EXPECT_TRUE(AllAre(p, 2 * 4096, 0));
  memset(p, 1, 2 * 4096);
  const auto finds_it_wiped = [p](auto&& then) {
    const pid_t child = fork();
    if (child == 0) _exit(AllAre(p, 2 * 4096, 0) && then() ? 0 : 1);
    int status = -1;
    return waitpid(child, &status, 0) == child && status == 0;
  };
  EXPECT_TRUE(finds_it_wiped([&] {
    memset(p, 2, 2 * 4096);
    return finds_it_wiped([] { return true; });
  }));
  EXPECT_TRUE(AllAre(p, 2 * 4096, 1));
  EXPECT_TRUE(Unmap(p, 2 * 4096));
  EXPECT_EQ(MappedBytesIn(p, 2 * 4096), 0u);
  errno = 77;
  EXPECT_EQ(MapWipedByFork(size_t{1} << 60), nullptr);
  EXPECT_EQ(errno, 77);
}

TEST_F(MemoryTest, MapRefusesWhatCannotBe) {
  errno = 77;
  EXPECT_EQ(Map(size_t{1} << 60), nullptr);
  EXPECT_EQ(errno, 77);
}

TEST_F(MemoryTest, UnmapOfAPart) {
  char* const p = static_cast<char*>(Map(4 * 4096));
  memset(p, 7, 4 * 4096);
  ASSERT_TRUE(Unmap(p + 4096, 2 * 4096));
  EXPECT_EQ(MappedBytesIn(p, 4 * 4096), 2 * 4096u);
  EXPECT_EQ(p[0], 7);
  EXPECT_EQ(p[3 * 4096], 7);
  EXPECT_TRUE(Unmap(p, 4 * 4096));
}

TEST_F(MemoryTest, UnmapOfNonsenseFails) {
  errno = 77;
  EXPECT_FALSE(Unmap(reinterpret_cast<void*>(4097), 4096));
  EXPECT_EQ(errno, 77);
}

TEST_F(MemoryTest, PurgedMemoryIsZeroAndUncommitted) {
  const Committed range(kMiB);
  memset(range.get(), 0x5a, kMiB);
  ASSERT_TRUE(Purge(range.get() + 4096, kMiB - 2 * 4096));
  std::vector<unsigned char> resident(kMiB / 4096);
  ASSERT_EQ(mincore(range.get(), kMiB, resident.data()), 0);
  size_t pages = 0;
  for (const unsigned char page : resident) pages += page & 1;
  EXPECT_EQ(pages, 2u);
  EXPECT_TRUE(AllAre(range.get(), 4096, 0x5a));
  EXPECT_TRUE(AllAre(range.get() + 4096, kMiB - 2 * 4096, 0));
  EXPECT_TRUE(AllAre(range.get() + kMiB - 4096, 4096, 0x5a));
  range.get()[kMiB / 2] = 1;  // still committed
}

// Whatever of the range holds memory, in which pieces, and how long it is.
TEST_F(MemoryTest, ZeroedMemoryIsZeroAndNoneWhereItWasSparse) {
  constexpr size_t kPages = 3000;  // more than are asked about at a time
  struct Pattern {
    size_t begin, end, step;
    bool sparse;
  };
  for (const Pattern pattern :
       {Pattern{0, 0, 1, true}, Pattern{0, kPages, 1, false},
        Pattern{0, 200, 1, true}, Pattern{0, kPages, 100, true},
        Pattern{5, kPages, 5, true}, Pattern{0, kPages, 2, false}}) {
    const Committed range(kPages * 4096);
    for (size_t i = pattern.begin; i < pattern.end; i += pattern.step) {
      memset(range.get() + i * 4096, 0x5a, 4096);
    }
    ZeroPages(range.get(), kPages * 4096);
    std::vector<unsigned char> resident(kPages);
    ASSERT_EQ(mincore(range.get(), kPages * 4096, resident.data()), 0);
    size_t pages = 0;
    for (const unsigned char page : resident) pages += page & 1;
    EXPECT_EQ(pages, pattern.sparse ? 0 : kPages) << pattern.step;
    EXPECT_TRUE(AllAre(range.get(), kPages * 4096, 0)) << pattern.step;
  }
}

TEST_F(MemoryTest, ZeroesPartsOfPages) {
  const Committed range(64 * 4096);
  memset(range.get(), 0x5a, 64 * 4096);
  ZeroPages(range.get() + 4096, 5 * 4096 + 100);
  EXPECT_TRUE(AllAre(range.get(), 4096, 0x5a));
  EXPECT_TRUE(AllAre(range.get() + 4096, 5 * 4096 + 100, 0));
  EXPECT_TRUE(AllAre(range.get() + 6 * 4096 + 100, 4096, 0x5a));
}

TEST_F(MemoryTest, PurgeOfWhatIsNotMappedFails) {
  char* const p = static_cast<char*>(Map(4096));
  ASSERT_TRUE(Unmap(p, 4096));
  EXPECT_FALSE(Purge(p, 4096));
}

TEST_F(MemoryTest, MovePagesMoves) {
  const Committed range(4 * kMiB);
  char* const from = range.get();
  char* const to = range.get() + 2 * kMiB;
  for (size_t i = 0; i < kMiB; ++i)
    from[i] = static_cast<char>(i * 7 + (i >> 12));
  memset(to, 0x77, kMiB);
  ASSERT_TRUE(MovePages(to, from, kMiB));
  for (size_t i = 0; i < kMiB; ++i)
    ASSERT_EQ(to[i], static_cast<char>(i * 7 + (i >> 12)));
  EXPECT_TRUE(AllAre(from, kMiB, 0));
  memset(from, 0x11, kMiB);
  EXPECT_EQ(to[12345], static_cast<char>(12345 * 7 + (12345 >> 12)));
}

TEST_F(MemoryTest, MovePagesLeavesTheSourceNoMappingOfItsOwn) {
  const Committed range(4 * kMiB);
  memset(range.get(), 1, kMiB);
  ASSERT_TRUE(MovePages(range.get() + 2 * kMiB, range.get(), kMiB));
  // What is before and behind the moved range, at most, and the range.
  EXPECT_LE(MappingsIn(range.get(), 4 * kMiB).size(), 3u);
}

TEST_F(MemoryTest, MovePagesFailsWithBothAccessible) {
  // A source that begins with a hole: older systems unmap the target before
  // they notice.
  const Committed range(4 * kMiB);
  char* const from = range.get();
  char* const to = range.get() + 2 * kMiB;
  memset(from, 0x5a, kMiB);
  memset(to, 0x77, kMiB);
  ASSERT_EQ(munmap(from, 4096), 0);
  errno = 77;
  ASSERT_FALSE(MovePages(to, from, kMiB));
  EXPECT_EQ(errno, 77);
  EXPECT_EQ(MappedBytesIn(to, kMiB, "rw-p"), kMiB);
  memset(to, 0x33, kMiB);
  EXPECT_TRUE(AllAre(from + 4096, kMiB - 4096, 0x5a));
}

TEST_F(MemoryTest, RefreshIsZeroAndCommitted) {
  const Committed range(kMiB);
  memset(range.get(), 0x5a, kMiB);
  ASSERT_TRUE(Refresh(range.get() + 4096, 8192));
  EXPECT_TRUE(AllAre(range.get(), 4096, 0x5a));
  EXPECT_TRUE(AllAre(range.get() + 4096, 8192, 0));
  EXPECT_TRUE(AllAre(range.get() + 3 * 4096, kMiB - 3 * 4096, 0x5a));
  range.get()[4096] = 1;
}

TEST_F(MemoryTest, RefreshMergesWhatWasMoved) {
  const Committed range(8 * kMiB);
  char* const p = range.get();
  memset(p, 1, 8 * kMiB);
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(
        MovePages(p + (2 * i + 2) * kMiB, p + (2 * i + 1) * kMiB, kMiB));
  }
  EXPECT_GE(MappingsIn(p, 8 * kMiB).size(), 4u)
      << "or there is nothing to merge";
  for (size_t i = 0; i < 3; ++i)
    ASSERT_TRUE(Refresh(p + (2 * i + 2) * kMiB, kMiB));
  EXPECT_EQ(MappingsIn(p, 8 * kMiB).size(), 1u);
}

TEST_F(MemoryTest, AThousandMovesCostNoMappings) {
  const Committed range(16 * kMiB);
  char* const p = range.get();
  size_t at = 0;
  memset(p, 0x5a, kMiB);
  for (int i = 0; i < 1000; ++i) {
    // To places that do not touch each other.
    const size_t to = (at + 2) % 16;
    ASSERT_TRUE(MovePages(p + to * kMiB, p + at * kMiB, kMiB));
    at = to;
  }
  EXPECT_TRUE(AllAre(p + at * kMiB, kMiB, 0x5a));
  // The block, what is before it, and what is behind.
  EXPECT_LE(MappingsIn(p, 16 * kMiB).size(), 3u);
}

// A new mapping of the kind that a neighbour is of becomes one with it, and then
// its ends cannot be cut off where the process may have no mapping more.
TEST_F(MemoryTest, ReserveWithoutAMappingLeftLeavesNothing) {
  using alcove_tests::Crowd;
  if (!Crowd::IsPossible()) GTEST_SKIP() << Crowd::kImpossible;
  const auto inaccessible = [] {
    size_t bytes = 0;
    for (const auto& mapping : ReadMappings())
      bytes += mapping.access == "---p" ? mapping.end - mapping.begin : 0;
    return bytes;
  };
  const size_t before = inaccessible();
  bool good = false;
  {
    const Crowd crowd(0);
    good = crowd.good();
    for (size_t alignment = 4096; alignment <= 64 * kMiB; alignment *= 2) {
      void* const p = Reserve(5 * kMiB, alignment);
      if (p != nullptr) good = good && Unmap(p, 5 * kMiB);
    }
  }
  EXPECT_TRUE(good);
  EXPECT_EQ(inaccessible(), before);
}

TEST_F(MemoryTest, AdviseHugePagesIsAHint) {
  const Committed range(4 * kMiB);
  AdviseHugePages(range.get(), 4 * kMiB);
  memset(range.get(), 1, 4 * kMiB);
  errno = 77;
  AdviseHugePages(reinterpret_cast<void*>(4096), 4096);  // nothing there
  EXPECT_EQ(errno, 77);
}

TEST_F(MemoryTest, IsWritableLooksAtEveryPage) {
  constexpr size_t kSize = kMiB;
  const Committed range(kSize);
  memset(range.get(), 7, kSize);
  errno = 77;
  EXPECT_TRUE(IsWritable(range.get(), kSize));
  for (const size_t at : {size_t{0}, kSize / 2, kSize - PageSize()}) {
    char* const page = static_cast<char*>(range.get()) + at;
    for (const int protection : {PROT_READ, PROT_NONE}) {
      mprotect(page, PageSize(), protection);
      EXPECT_FALSE(IsWritable(range.get(), kSize)) << at;
      mprotect(page, PageSize(), PROT_READ | PROT_WRITE);
    }
  }
  EXPECT_FALSE(IsWritable(reinterpret_cast<void*>(4096), 4096));
  EXPECT_EQ(errno, 77);
  const auto* const bytes = static_cast<const char*>(range.get());
  for (size_t i = 0; i < kSize; ++i) ASSERT_EQ(bytes[i], 7);
}

TEST_F(MemoryTest, ProtectKeepsWhatIsThere) {
  constexpr size_t kSize = 16 * 4096;
  const Committed range(kSize);
  auto* const bytes = static_cast<char*>(range.get());
  memset(bytes, 7, kSize);
  ASSERT_TRUE(Protect(bytes + 4096, 4096));
  EXPECT_TRUE(IsReadable(bytes));
  EXPECT_FALSE(IsReadable(bytes + 4096));
  EXPECT_TRUE(IsReadable(bytes + 2 * 4096));
  ASSERT_TRUE(Commit(bytes + 4096, 4096));
  EXPECT_EQ(bytes[4096], 7);
  // Of a protected range the memory can be given back.
  ASSERT_TRUE(Protect(bytes + 4096, 4096));
  ASSERT_TRUE(Purge(bytes + 4096, 4096));
  ASSERT_TRUE(Commit(bytes + 4096, 4096));
  EXPECT_EQ(bytes[4096], 0);
  EXPECT_FALSE(Protect(bytes + 1, 4096));
}

TEST_F(MemoryTest, IsReadableNeverFaults) {
  const uint64_t here = 0;
  errno = 77;
  EXPECT_TRUE(IsReadable(&here));
  for (const uintptr_t nowhere :
       {uintptr_t{0}, uintptr_t{8}, uintptr_t{1} << 47, ~uintptr_t{7}}) {
    EXPECT_FALSE(IsReadable(reinterpret_cast<void*>(nowhere))) << nowhere;
  }
  EXPECT_EQ(errno, 77);
}

TEST_F(MemoryTest, EntropyDiffersEachTime) {
  uint64_t first[4] = {};
  uint64_t second[4] = {};
  ASSERT_TRUE(Entropy(first, sizeof(first)));
  ASSERT_TRUE(Entropy(second, sizeof(second)));
  for (int i = 0; i < 4; ++i) EXPECT_NE(first[i], second[i]);
  EXPECT_FALSE(Entropy(reinterpret_cast<void*>(8), 8));
}

}  // namespace
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
