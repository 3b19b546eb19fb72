// The end of a process whose threads are in a plugin's instance: nothing is
// taken away from them, though the loader finishes the plugin as when it is
// closed.
#include <sys/wait.h>

#include <cstdlib>
#include <string>
#include <tuple>

#include "gtest/gtest.h"

namespace plugins {
namespace {

class EndingTest
    : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(EndingTest, IsOrderly) {
  const auto& [name, way] = GetParam();
#if defined(__SANITIZE_ADDRESS__)
  if (std::string(way) == "namespace") GTEST_SKIP() << "no second sanitizer";
#endif
  // LeakSanitizer's look at threads' dynamic TLS at the end crashes by itself.
  const std::string command =
      "ASAN_OPTIONS=detect_leaks=0 tests/plugins/ending tests/plugins/lib" +
      std::string(name) + ".so " + way;
  for (int i = 0; i < 5; ++i) {
    const int status = std::system(command.c_str());
    ASSERT_TRUE(WIFEXITED(status)) << status;
    ASSERT_EQ(WEXITSTATUS(status), 0) << command;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, EndingTest,
    testing::Combine(testing::Values("plain", "hosted", "dynamic", "described",
                                     "keyed", "probed", "watched"),
                     testing::Values("return", "exit", "quick_exit", "thread",
                                     "closed", "namespace")),
    [](const auto& each) {
      return std::string(std::get<0>(each.param)) + "_" +
             std::get<1>(each.param);
    });

}  // namespace
}  // namespace plugins
