// Every scenario, with the core's own source: no interleaving fails.
#include <chrono>
#include <cstdlib>
#include <ostream>
#include <string>

#include "gtest/gtest.h"
#include "tests/model/cases.h"

namespace alcove_model {

// How GoogleTest shows one.
void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << scenario.name;
}

namespace {

class ProtocolTest : public testing::TestWithParam<Scenario> {};

TEST_P(ProtocolTest, NoInterleavingFails) {
  if (GetParam().size == Size::kLong && getenv("MODEL_LONG") == nullptr)
    GTEST_SKIP() << "MODEL_LONG=1 explores it";
  const auto begin = std::chrono::steady_clock::now();
  const Result result = Explore(GetParam());
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - begin;
  printf("%s:\n  %s; %.2f s\n", GetParam().name, result.Summary().c_str(),
         took.count());
  EXPECT_FALSE(result.failed) << result.what << "\n" << result.schedule;
  EXPECT_TRUE(result.complete);
}

std::vector<Scenario> All() {
  std::vector<Scenario> all;
  for (const Suite& suite : Suites()) {
    if (suite.mutant.empty())
      all.insert(all.end(), suite.scenarios.begin(), suite.scenarios.end());
  }
  return all;
}

std::string TestName(const testing::TestParamInfo<Scenario>& info) {
  std::string name;
  for (const char c : std::string(info.param.name))
    name += isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, ProtocolTest, testing::ValuesIn(All()), TestName);

}  // namespace
}  // namespace alcove_model
