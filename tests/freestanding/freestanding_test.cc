// Programs without a C library, or with one that was linked in, run.
#include <elf.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

namespace {

class FreestandingTest : public testing::TestWithParam<const char*> {
 protected:
  std::string Path() const {
    return std::string("tests/freestanding/") + GetParam();
  }
};

TEST_P(FreestandingTest, Runs) {
  const int status = std::system(Path().c_str());
  ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// What it says of itself: no dynamic linker, no shared objects; and thread-local
// variables, without which its threads would prove little.
TEST_P(FreestandingTest, HasAllItNeeds) {
  std::ifstream file(Path(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)),
                          std::istreambuf_iterator<char>());
  ASSERT_GE(bytes.size(), sizeof(Elf64_Ehdr));
  Elf64_Ehdr header;
  memcpy(&header, bytes.data(), sizeof(header));
  bool tls = false;
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof(segment),
           sizeof(segment));
    EXPECT_NE(segment.p_type, Elf64_Word{PT_INTERP});
    EXPECT_NE(segment.p_type, Elf64_Word{PT_DYNAMIC});
    tls |= segment.p_type == PT_TLS;
  }
  EXPECT_TRUE(tls);
}

INSTANTIATE_TEST_SUITE_P(All, FreestandingTest,
                         testing::Values("no_libc", "static_glibc"));

}  // namespace
