// Every primitive fails at every one of its calls: the call of the instance
// gives null, what lives keeps its contents, it works again afterwards, and
// shutdown leaves nothing.
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr Primitive kFailing[] = {
    Primitive::kReserve,          Primitive::kMap,
    Primitive::kCommit,           Primitive::kPurge,
    Primitive::kRefresh,          Primitive::kMovePages,
    Primitive::kThreadMayBeAlive, Primitive::kAdviseHugePages,
};

// Blocks with a pattern each; a call that fails must leave all of them alone.
class Program {
 public:
  explicit Program(uint64_t stream) : random_(stream) {}
  ~Program() {
    for (const Block& block : blocks_) Free(block);
  }

  // Returns whether nothing failed.
  bool Step() {
    const size_t action = random_.Below(16);
    if (action < 7 || blocks_.empty()) return Allocate();
    const size_t which = random_.Below(blocks_.size());
    if (action < 12) {
      Free(blocks_[which]);
      blocks_[which] = blocks_.back();
      blocks_.pop_back();
      return true;
    }
    if (action < 15) return Resize(blocks_[which]);
    if (random_.Below(8) == 0) test_thread_detach();
    if (random_.Below(8) == 0) test_purge();
    return true;
  }

 private:
  struct Block {
    unsigned char* p;
    size_t size;
    uint64_t tag;
  };

  static size_t Checked(size_t size) { return Min(size, 5000); }

  size_t RandomSize() { return random_.Size(random_.Below(4) == 0 ? 23 : 13); }

  bool Allocate() {
    const size_t size = RandomSize();
    const size_t kind = random_.Below(3);
    void* p = nullptr;
    if (kind == 0) p = test_malloc(size);
    if (kind == 1) p = test_calloc(1, size);
    if (kind == 2) p = test_aligned_alloc(size_t{1} << random_.Below(19), size);
    if (p == nullptr) return false;
    EXPECT_TRUE(kind != 1 || IsZero(p, size));
    Keep(p, size);
    return true;
  }

  void Keep(void* p, size_t size) {
    blocks_.push_back({static_cast<unsigned char*>(p), size, random_.Next()});
    const Block& block = blocks_.back();
    Fill(block.p, Checked(size), block.tag);
    Fill(block.p + size - Checked(size), Checked(size), block.tag);
    if (size > Checked(size)) Fill(block.p, Checked(size) / 2, block.tag);
  }

  static void Check(const Block& block, size_t size) {
    EXPECT_TRUE(IsFilled(block.p, Checked(size) / 2, block.tag));
  }

  void Free(const Block& block) {
    Check(block, block.size);
    test_free(block.p);
  }

  bool Resize(Block& block) {
    const size_t size = RandomSize();
    void* const p = test_realloc(block.p, size);
    if (p == nullptr) {
      Check(block, block.size);
      return false;
    }
    block.p = static_cast<unsigned char*>(p);
    Check(block, Min(size, block.size));
    block.size = size;
    Fill(block.p, Checked(size), block.tag);
    return true;
  }

  Random random_;
  std::vector<Block> blocks_;
};

class ExhaustionTest : public InstanceTest,
                       public testing::WithParamInterface<Primitive> {};

INSTANTIATE_TEST_SUITE_P(All, ExhaustionTest, testing::ValuesIn(kFailing),
                         [](const auto& info) {
                           return std::string(fake::NameOf(info.param));
                         });

TEST_P(ExhaustionTest, OneCallFails) {
  // As many calls as the program makes at most.
  uint64_t calls = 0;
  {
    const fake::CallCounter counter(GetParam());
    Program program(1);
    for (int i = 0; i < 400; ++i) program.Step();
    calls = counter.calls();
  }
  ASSERT_EQ(test_shutdown(), 0);
  for (uint64_t nth = 1; nth <= Min(calls, 40); ++nth) {
    SCOPED_TRACE(nth);
    {
      const ScopedFailures failures(GetParam(), Failures::Nth(nth));
      Program program(1);
      for (int i = 0; i < 400; ++i) program.Step();
    }
    ASSERT_EQ(Stats().blocks_live, 0u);
    ASSERT_EQ(test_shutdown(), 0);
  }
}

TEST_P(ExhaustionTest, FromOneCallOnAllFail) {
  for (uint64_t from = 1; from <= 12; ++from) {
    SCOPED_TRACE(from);
    Program program(2);
    {
      const ScopedFailures failures(GetParam(), Failures::From(from));
      for (int i = 0; i < 400; ++i) program.Step();
    }
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(program.Step()) << "it works again";
  }
  EXPECT_EQ(Stats().blocks_live, 0u);
}

TEST_P(ExhaustionTest, EverySecondFails) {
  Program program(3);
  {
    const ScopedFailures failures(GetParam(), Failures::Every(2));
    for (int i = 0; i < 4000; ++i) program.Step();
  }
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(program.Step());
}

TEST_P(ExhaustionTest, UnderSeveralThreads) {
  {
    const ScopedFailures failures(GetParam(), Failures::Every(3));
    RunThreads(4, [](unsigned t) {
      Program program(10 + t);
      for (int i = 0; i < 1000; ++i) program.Step();
    });
  }
  EXPECT_EQ(Stats().blocks_live, 0u);
  Program program(4);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(program.Step());
}

// Nothing can be had at all: every call says so, and none maps anything.
TEST_F(ExhaustionTest, NothingAtAll) {
  const ScopedFailures reserve(Primitive::kReserve, Failures::Always());
  const ScopedFailures map(Primitive::kMap, Failures::Always());
  const int64_t mapped = fake::MappedBytes();
  for (const size_t size : {0, 1, 1000, 100000, 10000000}) {
    EXPECT_EQ(test_malloc(size), nullptr);
    EXPECT_EQ(test_calloc(1, size), nullptr);
    EXPECT_EQ(test_aligned_alloc(4096, size), nullptr);
    EXPECT_EQ(test_realloc(nullptr, size), nullptr);
  }
  test_free(nullptr);
  test_thread_detach();
  EXPECT_EQ(test_purge(), 0u);
  EXPECT_EQ(Stats().threads, 0u);
  EXPECT_EQ(fake::MappedBytes(), mapped);
}

// One object, one system that never gives more: it is full, then usable as
// ever.
TEST_F(ExhaustionTest, FullAndEmptyAgain) {
  if (Config::kRegionReserve > (size_t{64} << 20))
    GTEST_SKIP() << "only where ranges are small";
  std::vector<void*> blocks;
  blocks.push_back(test_malloc(100));
  const ScopedFailures reserve(Primitive::kReserve, Failures::Always());
  for (int round = 0; round < 5; ++round) {
    for (const size_t size : {1000000, 100000, 10000, 1000, 100, 10}) {
      for (void* block; (block = test_malloc(size)) != nullptr;)
        blocks.push_back(block);
    }
    EXPECT_GE(Stats().bytes_live, 3u << 20);
    for (void* block : blocks) test_free(block);
    blocks.clear();
  }
}

// The system keeps what it should take back: shutdown says so by leaving it
// mapped, and the instance begins anew all the same.
TEST_F(ExhaustionTest, UnmapRefused) {
  test_free(test_malloc(100));
  const int64_t mapped = fake::MappedBytes();
  uint64_t refused;
  {
    const ScopedFailures failures(Primitive::kUnmap, Failures::Always());
    EXPECT_EQ(test_shutdown(), 0);
    refused = failures.failed();
  }
  EXPECT_EQ(refused, 2u) << "the range, and its metadata with the heap";
  EXPECT_EQ(fake::MappedBytes(), mapped);
  void* const block = test_malloc(100);
  EXPECT_NE(block, nullptr);
  test_free(block);
  ExpectLeft(mapped);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
