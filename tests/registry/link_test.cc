// However a program is linked, its instance is found.
#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "gtest/gtest.h"

namespace {

class LinkTest : public testing::TestWithParam<const char*> {};

TEST_P(LinkTest, FindsItsInstance) {
  const std::string path = std::string("tests/registry/program_") + GetParam();
  const int status = std::system(path.c_str());
  ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

INSTANTIATE_TEST_SUITE_P(EveryWay, LinkTest,
                         testing::Values("pie", "no_pie", "static",
                                         "static_pie", "gc_sections",
                                         "gc_sections_bfd", "freestanding"),
                         [](const auto& info) { return info.param; });

}  // namespace
