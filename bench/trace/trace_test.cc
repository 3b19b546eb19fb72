#include "bench/trace/trace.h"

#include <random>
#include <string>
#include <vector>

#include "bench/trace/encode.h"
#include "bench/trace/replayer.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

using testing::Test;

constexpr uint32_t kBlocksMax = 1 << 16;

// What the test expects to read back.
struct Expected {
  OpKind kind;
  unsigned thread;
  uint64_t size;
  unsigned alignment;
  uint32_t takes;
  uint32_t makes;
};

// A trace of every kind of operation, with old and young blocks, sizes that
// come again and sizes that do not.
std::string RandomTrace(int seed, unsigned threads, int operations,
                        std::vector<Expected>* expected) {
  std::mt19937 random(seed);
  Encoder encoder(kBlocksMax);
  std::vector<uint32_t> live;
  for (int i = 0; i < operations; ++i) {
    // The first operations number the threads in order.
    const unsigned thread =
        i < static_cast<int>(threads) ? i : random() % threads;
    const uint64_t size =
        random() % 3 == 0 ? random() % 100000 : random() % 30 * 16;
    const unsigned what = random() % 100;
    Expected e = {OpKind::kMalloc, thread, size, 0, Op::kNone, Op::kNone};
    if (live.empty() || what < 40) {
      e.makes = encoder.Malloc(thread, size);
    } else if (what < 45) {
      e.kind = OpKind::kCalloc;
      e.makes = encoder.Calloc(thread, size);
    } else if (what < 48) {
      e.kind = OpKind::kAligned;
      e.alignment = random() % 13;
      e.makes = encoder.Aligned(thread, e.alignment, size);
    } else {
      const size_t place = random() % 2 == 0 || live.size() < 4
                               ? random() % live.size()
                               : live.size() - 1 - random() % 4;
      e.takes = live[place];
      live[place] = live.back();
      live.pop_back();
      if (what < 60) {
        e.kind = OpKind::kRealloc;
        e.makes = encoder.Realloc(thread, e.takes, size);
      } else {
        e.kind = OpKind::kFree;
        e.size = 0;
        encoder.Free(thread, e.takes);
      }
    }
    if (e.makes != Op::kNone) live.push_back(e.makes);
    if (expected != nullptr) expected->push_back(e);
  }
  return encoder.Finish();
}

// The file with a hash that fits what was done to it.
std::string Sealed(std::string body) {
  const uint64_t hash = TraceHash(body);
  for (int i = 0; i < 8; ++i)
    body.push_back(static_cast<char>(hash >> (8 * i)));
  return body;
}

// A file of our making: the beginning, then these bytes.
std::string Crafted(std::initializer_list<unsigned char> bytes) {
  return Sealed("ALCOVE T\1" + std::string(bytes.begin(), bytes.end()));
}

std::string ErrorOf(const std::string& file) {
  Trace trace;
  std::string error;
  EXPECT_FALSE(Decode(file, &trace, &error));
  EXPECT_EQ(trace.ops.size(), 0u);
  return error;
}

TEST(Trace, ReadsBackWhatWasWritten) {
  for (int seed = 0; seed < 20; ++seed) {
    std::vector<Expected> expected;
    const std::string file = RandomTrace(seed, 1 + seed % 5, 3000, &expected);
    Trace trace;
    std::string error;
    ASSERT_TRUE(Decode(file, &trace, &error)) << error;
    ASSERT_EQ(trace.ops.size(), expected.size());
    EXPECT_EQ(trace.threads, 1u + seed % 5);
    for (size_t i = 0; i < expected.size(); ++i) {
      const Op& op = trace.ops[i];
      const Expected& e = expected[i];
      ASSERT_EQ(static_cast<OpKind>(op.kind), e.kind) << i;
      ASSERT_EQ(op.thread, e.thread) << i;
      ASSERT_EQ(op.size, e.size) << i;
      ASSERT_EQ(op.alignment, e.alignment) << i;
      ASSERT_EQ(op.takes, e.takes) << i;
      ASSERT_EQ(op.makes, e.makes) << i;
    }
  }
}

TEST(Trace, KnowsItsPeaks) {
  Encoder encoder(kBlocksMax);
  const uint32_t a = encoder.Malloc(0, 100);
  const uint32_t b = encoder.Malloc(0, 50);
  encoder.Free(0, a);
  encoder.Realloc(0, b, 70);
  Trace trace;
  std::string error;
  ASSERT_TRUE(Decode(encoder.Finish(), &trace, &error)) << error;
  EXPECT_EQ(trace.blocks, 3u);
  EXPECT_EQ(trace.blocks_peak, 2u);
  EXPECT_EQ(trace.bytes_peak, 150u);
}

TEST(Trace, AnEmptyOneIsOne) {
  Trace trace;
  std::string error;
  EXPECT_TRUE(Decode(Encoder(1).Finish(), &trace, &error)) << error;
  EXPECT_EQ(trace.ops.size(), 0u);
}

TEST(Trace, MostOperationsAreOneByte) {
  Encoder encoder(kBlocksMax);
  for (int i = 0; i < 1000; ++i) {
    const uint32_t block = encoder.Malloc(0, 16 + i % 50);
    encoder.Free(0, block);
  }
  EXPECT_LT(encoder.bytes(), 2100u);
}

TEST(HostileTrace, IsNoTrace) {
  EXPECT_EQ(ErrorOf(""), "not a trace, or of another format");
  EXPECT_EQ(ErrorOf("ALCOVE"), "not a trace, or of another format");
  EXPECT_EQ(ErrorOf("ALCOVE T\2abcdefghijk"),
            "not a trace, or of another format");
  EXPECT_EQ(ErrorOf("ALCOVE T\1"), "too short or too long for a trace");
}

TEST(HostileTrace, IsCutShortAnywhere) {
  const std::string file = RandomTrace(1, 2, 200, nullptr);
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_NE(ErrorOf(file.substr(0, size)), "") << size;
  }
}

// Cut short by somebody who knew how to make the hash fit.
TEST(HostileTrace, IsCutShortAndSealed) {
  const std::string file = RandomTrace(1, 2, 200, nullptr);
  for (size_t size = 9; size < file.size() - 8; ++size) {
    EXPECT_NE(ErrorOf(Sealed(file.substr(0, size))), "") << size;
  }
}

TEST(HostileTrace, HasABitWrong) {
  const std::string file = RandomTrace(2, 1, 100, nullptr);
  for (size_t i = 0; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_NE(ErrorOf(changed), "") << i;
  }
}

// Any bytes at all, with a hash that fits: an error, or a trace that replays.
TEST(HostileTrace, IsNoise) {
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    std::string body = RandomTrace(i, 1, 30, nullptr);
    body.resize(body.size() - 8);
    for (int changes = 1 + i % 4; changes > 0; --changes) {
      body[9 + random() % (body.size() - 9)] = static_cast<char>(random());
    }
    Trace trace;
    std::string error;
    if (!Decode(Sealed(body), &trace, &error)) continue;
    if (trace.bytes_peak > (64 << 20)) continue;
    Replayer replayer(trace);
    EXPECT_TRUE(replayer.Run()) << replayer.why();
  }
}

TEST(HostileTrace, NamesWhatIsWrong) {
  EXPECT_EQ(ErrorOf(Crafted({1, 0x60, 0xe6})),
            "a block of rank 0 where 0 are live at byte 11");
  EXPECT_EQ(ErrorOf(Crafted({2, 0xe0, 8, 0xe1, 5, 0xe6})),
            "a block of rank 133 where 1 are live at byte 14");
  EXPECT_EQ(ErrorOf(Crafted({2, 0xe0, 8, 0xe3, 1, 8, 0xe6})),
            "a block of rank 1 where 1 are live at byte 15");
  EXPECT_EQ(ErrorOf(Crafted({1, 0x00, 0xe6})),
            "a size 0 back where there were 0 at byte 11");
  EXPECT_EQ(ErrorOf(Crafted({2, 0xe0, 8, 0xe0, 8, 0xe6})),
            "a size spelled out that was there already at byte 14");
  EXPECT_EQ(ErrorOf(Crafted({1, 0xe5, 1, 0xe0, 8, 0xe6})),
            "thread 1 comes before thread 0 at byte 12");
  EXPECT_EQ(ErrorOf(Crafted({1, 0xe5, 0x80, 2, 0xe0, 8, 0xe6})),
            "the thread is 256, more than the 255 that can be, at byte 13");
  EXPECT_EQ(ErrorOf(Crafted({1, 0xff, 0xe6})),
            "no operation begins with 255 at byte 11");
  EXPECT_EQ(ErrorOf(Crafted({1, 0xe4, 31, 8, 0xe6})),
            "an alignment's logarithm is 31, more than the 30 that can be, at "
            "byte 12");
  EXPECT_EQ(
      ErrorOf(Crafted({1, 0xe0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0xe6})),
      "a size is 549755813888, more than the 68719476736 that can be, at "
      "byte 17");
  EXPECT_EQ(ErrorOf(Crafted({1, 0xe0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                             0x80, 0x80, 1, 0xe6})),
            "a size is too long at byte 21");
  EXPECT_EQ(ErrorOf(Crafted({0xff, 0x7f, 0xe6})),
            "the number of operations is 16383, more than the 12 that can be, "
            "at byte 11");
  EXPECT_EQ(ErrorOf(Crafted({0, 0xe0, 8, 0xe6})),
            "more operations than announced at byte 11");
  EXPECT_EQ(ErrorOf(Crafted({2, 0xe0, 8, 0xe6})),
            "fewer operations than announced at byte 13");
  EXPECT_EQ(ErrorOf(Crafted({1, 0xe0, 8, 0xe6, 0})),
            "something after the end at byte 13");
  EXPECT_EQ(ErrorOf(Crafted({1, 0xe0, 8})),
            "the trace ends in the middle at byte 12");
}

TEST(Replayer, ReplaysAgainAndAgain) {
  for (const unsigned threads : {1, 2, 7}) {
    Trace trace;
    std::string error;
    ASSERT_TRUE(
        Decode(RandomTrace(5, threads, 20000, nullptr), &trace, &error));
    Replayer replayer(trace);
    for (int round = 0; round < 3; ++round) {
      ASSERT_TRUE(replayer.Run()) << replayer.why();
    }
  }
}

}  // namespace
}  // namespace bench
