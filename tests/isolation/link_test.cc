// Programs that are linked in every way run, and are what they are meant to be.
#include <elf.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace {

struct Program {
  const char* name;
  Elf64_Half type;  // ET_EXEC: at fixed addresses; ET_DYN: position independent
  bool interpreted;  // by a dynamic linker
};

void PrintTo(const Program& program, std::ostream* out) {
  *out << program.name;
}

class LinkTest : public testing::TestWithParam<Program> {
 protected:
  std::string Path() const {
    return std::string("tests/isolation/") + GetParam().name;
  }
};

TEST_P(LinkTest, Runs) {
  const int status = std::system(Path().c_str());
  ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_P(LinkTest, IsLinkedThatWay) {
  std::ifstream file(Path(), std::ios::binary);
  Elf64_Ehdr header;
  ASSERT_TRUE(file.read(reinterpret_cast<char*>(&header), sizeof(header)));
  EXPECT_EQ(header.e_type, GetParam().type);
  bool interpreted = false;
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    ASSERT_TRUE(file.read(reinterpret_cast<char*>(&segment), sizeof(segment)));
    interpreted |= segment.p_type == PT_INTERP;
  }
  EXPECT_EQ(interpreted, GetParam().interpreted);
}

INSTANTIATE_TEST_SUITE_P(
    EveryWay, LinkTest,
    testing::Values(Program{"program_pie", ET_DYN, true},
                    Program{"program_no_pie", ET_EXEC, true},
                    Program{"program_static", ET_EXEC, false},
                    Program{"program_static_pie", ET_DYN, false},
                    Program{"freestanding", ET_EXEC, false}));

}  // namespace
