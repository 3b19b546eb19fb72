#include "tests/model/model.h"

#include "gtest/gtest.h"
#include "tests/model/litmus.h"

namespace alcove_model {
namespace {

constexpr int kRelaxed = __ATOMIC_RELAXED;
constexpr int kAcquire = __ATOMIC_ACQUIRE;
constexpr int kRelease = __ATOMIC_RELEASE;
constexpr int kAcqRel = __ATOMIC_ACQ_REL;
constexpr int kSeqCst = __ATOMIC_SEQ_CST;

TEST(ModelTest, AMessageBehindARelaxedFlagIsARace) {
  EXPECT_TRUE(MessagePassing(kRelaxed, kRelaxed).failed);
  EXPECT_TRUE(MessagePassing(kRelease, kRelaxed).failed);
  const Result result = MessagePassing(kRelaxed, kAcquire);
  EXPECT_TRUE(result.failed);
  EXPECT_EQ(result.what, "data race: a read of data+0");
}

TEST(ModelTest, ReleaseAndAcquirePassAMessage) {
  const Result result = MessagePassing(kRelease, kAcquire);
  EXPECT_FALSE(result.failed) << result.what << "\n" << result.schedule;
  EXPECT_TRUE(result.complete);
  // The flag is read before the store, or after it and is old, or new.
  EXPECT_EQ(result.interleavings, 3);
  EXPECT_EQ(result.ends, 2u) << "that differ";
}

TEST(ModelTest, AReadModifyWriteContinuesARelease) {
  EXPECT_FALSE(ReleaseSequence(kRelaxed).failed);
}

TEST(ModelTest, StoresAreBufferedUnlessSequentiallyConsistent) {
  EXPECT_TRUE(StoreBuffering(kRelaxed, kRelaxed).failed);
  EXPECT_TRUE(StoreBuffering(kRelease, kAcquire).failed);
  EXPECT_TRUE(StoreBuffering(kSeqCst, kAcquire).failed);
  EXPECT_TRUE(StoreBuffering(kRelease, kSeqCst).failed);
  EXPECT_FALSE(StoreBuffering(kSeqCst, kSeqCst).failed);
}

TEST(ModelTest, ReadersDisagreeUnlessSequentiallyConsistent) {
  EXPECT_TRUE(IndependentReads(kRelaxed, kRelaxed).failed);
  EXPECT_TRUE(IndependentReads(kRelease, kAcquire).failed);
  EXPECT_FALSE(IndependentReads(kSeqCst, kSeqCst).failed);
}

TEST(ModelTest, AWordIsCoherent) { EXPECT_FALSE(Coherence().failed); }

// Allowed in C++20, and not covered: README.md.
TEST(ModelTest, NoLoadSeesTheFuture) {
  EXPECT_FALSE(LoadBuffering().failed);
  EXPECT_FALSE(TwoPlusTwoWrites().failed);
}

TEST(ModelTest, ACountIsLostWithoutAReadModifyWrite) {
  EXPECT_TRUE(Counter(false).failed);
  EXPECT_FALSE(Counter(true).failed);
}

TEST(ModelTest, MemoryIsGivenBackTooEarly) {
  EXPECT_TRUE(GivenBack(false).failed);
  EXPECT_FALSE(GivenBack(true).failed);
}

TEST(ModelTest, AThreadIsStoppedAtAnyStep) {
  EXPECT_EQ(StoppedBetween(false).what, "half done");
  EXPECT_FALSE(StoppedBetween(true).failed);
}

TEST(ModelTest, WhoWaitsForOneThatWasStoppedWaitsForEver) {
  EXPECT_EQ(WaitForStopped(false).what, "waits for ever");
  EXPECT_FALSE(WaitForStopped(true).failed);
}

TEST(ModelTest, AChildOfForkFindsOthersInBetween) {
  EXPECT_EQ(ForkBetween().what, "half done");
}

TEST(ModelTest, EveryInterleavingIsCovered) {
  EXPECT_EQ(Independent(1).interleavings, 1);
  const Result two = Independent(2);
  EXPECT_EQ(two.interleavings, 20) << "six over three";
  EXPECT_EQ(two.states, 16u) << "each at one of four steps";
  EXPECT_EQ(two.ends, 1u) << "they meet nowhere";
}

TEST(ModelTest, AFailureTellsEachStep) {
  const Result result = MessagePassing(kRelease, kRelaxed);
  EXPECT_NE(result.schedule.find("sender"), std::string::npos);
  EXPECT_NE(result.schedule.find("x.Store(1, release)"), std::string::npos)
      << result.schedule;
  EXPECT_NE(result.schedule.find("x.Load(relaxed) reads 1 by sender"),
            std::string::npos)
      << result.schedule;
  // Twice the same.
  EXPECT_EQ(MessagePassing(kRelease, kRelaxed).schedule, result.schedule);
}

}  // namespace
}  // namespace alcove_model
