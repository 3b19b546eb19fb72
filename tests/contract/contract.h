// What the suites share.
#ifndef TESTS_CONTRACT_CONTRACT_H_
#define TESTS_CONTRACT_CONTRACT_H_

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/subject.h"

namespace contract {

inline constexpr size_t kKiB = 1024;
inline constexpr size_t kMiB = 1024 * kKiB;

// The kinds of blocks there are: slabs of small and of medium blocks, cached
// spans, huge ones; each kind's smallest and largest size, and one between.
inline const std::vector<size_t> kSizesOfAllKinds = {
    1,          8,        9,        16,        100,       1024,
    1025,       8 * kKiB, 9 * kKiB, 40 * kKiB, 64 * kKiB, 65 * kKiB,
    300 * kKiB, kMiB,     kMiB + 1, 3 * kMiB,
};

subject::Stats GetStats();

// The configuration, each value as its JSON text. A failure if config() is not
// one flat JSON object.
std::map<std::string, std::string> Config();

// Whether the knob of this name is on.
bool IsOn(const std::string& knob);

// "alcove[<prefix>]: <what> <address><rest>\n", what the instance says when it
// stops.
std::string Line(const std::string& what, const void* address,
                 const std::string& rest = "");

// Fills a block with bytes that depend on `seed` and on the place, and looks
// whether they are still there.
void Fill(void* block, size_t size, uint64_t seed);
testing::AssertionResult Holds(const void* block, size_t size, uint64_t seed);

testing::AssertionResult IsZero(const void* block, size_t size);

// Begins and ends with an instance of which nothing is mapped, and checks that
// no block and no arena was left behind.
class ContractTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;
};

}  // namespace contract

// One statement that must stop the process with exactly this line.
#define EXPECT_STOPS(statement, line) \
  EXPECT_STOPS_LIKE(statement, testing::Eq(line))

// The same where several lines will do.
#define EXPECT_STOPS_LIKE(statement, matcher) \
  EXPECT_EXIT(statement, testing::KilledBySignal(SIGABRT), matcher)

#endif  // TESTS_CONTRACT_CONTRACT_H_
