// The words of each misuse. That each is noticed is in malloc_family_test and
// checks_test.
#include "core/hardening/misuse.h"

#include <string>

#include "gtest/gtest.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

struct Words {
  Misuse misuse;
  const char* words;
};

constexpr Words kWords[] = {
    {Misuse::kDoubleFree, "double free of"},
    {Misuse::kFreeInside, "free inside a block at"},
    {Misuse::kFreeNeverAllocated, "free of a block never allocated at"},
    {Misuse::kFreeNoBlock, "free of memory that is in no block, at"},
    {Misuse::kFreeForeign, "free of memory that is not this instance's, at"},
    {Misuse::kUseAfterFree,
     "size or realloc asked of memory that is in no block, at"},
    {Misuse::kUseInside, "size or realloc asked of the inside of a block at"},
    {Misuse::kUseForeign,
     "size or realloc asked of memory that is not this instance's, at"},
    {Misuse::kWritePastEnd, "write past the end of"},
    {Misuse::kWriteAfterFree, "write to freed memory at"},
    {Misuse::kWrongSize, "sized free with a size that cannot be that of"},
    {Misuse::kWrongAlignment,
     "sized free with an alignment that cannot be that of"},
};

class MisuseDeathTest : public testing::TestWithParam<Words> {
 protected:
  MisuseDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

INSTANTIATE_TEST_SUITE_P(All, MisuseDeathTest, testing::ValuesIn(kWords));

TEST_P(MisuseDeathTest, NamesTheInstanceTheMisuseAndTheAddress) {
  const auto address = reinterpret_cast<void*>(uintptr_t{0x7f0012345670});
  const std::string line = std::string("^alcove\\[test_\\]: ") +
                           GetParam().words + " 0x7f0012345670";
  EXPECT_EXIT(Stop(GetParam().misuse, address),
              testing::KilledBySignal(SIGABRT), line + "\n$");
  EXPECT_EXIT(Stop(GetParam().misuse, address, 64),
              testing::KilledBySignal(SIGABRT),
              line + " \\(a block of 64 bytes\\)\n$");
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
