#include <cstdio>
#include <string>

#include "bench/many_instances/elf_size.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

using testing::ContainsRegex;

TEST(ManyInstances, MeasuresAFew) {
  FILE* pipe = popen("bench/many_instances/few --quick", "r");
  std::string output;
  char buffer[4096];
  size_t size;
  while ((size = fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
    output.append(buffer, size);
  }
  EXPECT_EQ(pclose(pipe), 0);
  for (const char* line :
       {"3 instances", "code of a copy . [0-9]+ B", "first malloc [^|]*. [0-9]",
        "2 further instances . [0-9]", "further threads . [0-9]",
        "1 in turn . [0-9.]+ ns, 1.00 of one"}) {
    EXPECT_THAT(output, ContainsRegex(line));
  }
}

TEST(ElfSize, ReadsAnObjectAndNothingElse) {
  ElfSize size;
  ASSERT_TRUE(
      ReadElfSize("bench/many_instances/many0_heap.alcove/audited.o", &size));
  EXPECT_GT(size.code, 1000u);
  EXPECT_LE(size.tls, 8u);
  EXPECT_FALSE(ReadElfSize("/dev/null", &size));
  EXPECT_FALSE(ReadElfSize("/nowhere", &size));
  EXPECT_FALSE(ReadElfSize("/proc/self/status", &size));
}

}  // namespace
}  // namespace bench
