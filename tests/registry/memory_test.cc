// Memory that is there is read, memory that is not is said to be not there: by
// each way to ask.
#include "registry/memory.h"

#include <sys/mman.h>

#include <cstring>

#include "gtest/gtest.h"
#include "tests/registry/image.h"

namespace registry_tests {
namespace {

using alcove::registry::Memory;
using alcove::registry::Stretch;

class MemoryTest : public testing::TestWithParam<Memory::Way> {
 protected:
  MemoryTest() : memory(GetParam()) {}
  Memory memory;
};

TEST_P(MemoryTest, ReadsWhatIsThere) {
  Pages pages(2);
  std::memset(pages.start(), 'x', 2 * kPage);
  char copy[kPage] = {};
  EXPECT_TRUE(memory.Copy(pages.address() + 2000, copy, kPage));
  EXPECT_EQ(copy[0], 'x');
  EXPECT_EQ(copy[kPage - 1], 'x');
  EXPECT_TRUE(memory.Copy(pages.address() + kPage, copy, kPage));
  EXPECT_TRUE(memory.Copy(0, nullptr, 0));
  EXPECT_EQ(memory.error(), 0);
}

TEST_P(MemoryTest, SaysWhatIsNotThere) {
  Pages pages(1);
  const uintptr_t end = pages.address() + kPage;
  munmap(pages.end(), kPage);
  char copy[16];
  EXPECT_FALSE(memory.Copy(end, copy, 16));
  EXPECT_FALSE(memory.Copy(end - 8, copy, 16));
  EXPECT_FALSE(memory.Copy(0, copy, 16));
  EXPECT_FALSE(memory.Copy(UINTPTR_MAX - 7, copy, 8));
  EXPECT_FALSE(memory.Copy(uintptr_t{1} << 63, copy, 8));
  EXPECT_TRUE(memory.Copy(end - 16, copy, 16));
  EXPECT_EQ(memory.error(), 0);
}

TEST_P(MemoryTest, ReadsAllThatIsThereOfMany) {
  Pages pages(1);
  munmap(pages.end(), kPage);
  for (uint32_t holes : {0u, 1u, 2u, 0x8000u, 0xffffu, 0x5555u, 0x0ff0u}) {
    uint64_t values[16] = {};
    Stretch from[16];
    Stretch to[16];
    for (int i = 0; i < 16; ++i) {
      const uint64_t value = i + 1;
      std::memcpy(pages.start() + 8 * i, &value, 8);
      // Some are wholly, some partly not there.
      char* const hole = i % 3 == 0 ? pages.end() - 4 : pages.end();
      from[i] = {(holes >> i & 1) != 0 ? hole : pages.start() + 8 * i, 8};
      to[i] = {&values[i], 8};
    }
    EXPECT_EQ(memory.CopyAll(from, to, 16), 0xffff & ~holes);
    for (int i = 0; i < 16; ++i) {
      const bool read = (holes >> i & 1) == 0;
      EXPECT_EQ(values[i], read ? static_cast<uint64_t>(i + 1) : 0u);
    }
  }
}

TEST(MemoryTest, WithoutAWayThereIsAnError) {
  Memory memory(Memory::Way::kNone);
  char copy[8];
  EXPECT_FALSE(memory.Copy(reinterpret_cast<uintptr_t>("1234567"), copy, 8));
}

INSTANTIATE_TEST_SUITE_P(Ways, MemoryTest,
                         testing::Values(Memory::Way::kCall,
                                         Memory::Way::kFile));

}  // namespace
}  // namespace registry_tests
