// owns() answers for any address, and maps nothing to do so.
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {
namespace {

using OwnsTest = ContractTest;

bool Owns(const void* address) { return subject::owns(address) != 0; }

TEST_F(OwnsTest, EveryByteOfEveryKindOfBlock) {
  for (const size_t size : kSizesOfAllKinds) {
    char* const block = static_cast<char*>(subject::malloc(size));
    EXPECT_TRUE(Owns(block)) << size;
    EXPECT_TRUE(Owns(block + size / 2)) << size;
    EXPECT_TRUE(Owns(block + subject::malloc_usable_size(block) - 1)) << size;
    const subject::Stats stats = GetStats();
    EXPECT_LE(stats.address_low, reinterpret_cast<uintptr_t>(block));
    EXPECT_GE(stats.address_high, reinterpret_cast<uintptr_t>(block) + size);
    subject::free(block);
  }
}

TEST_F(OwnsTest, NothingForeign) {
  void* const block = subject::malloc(100);
  static int object;
  int local = 0;
  void* const foreign = std::malloc(100);
  void* const mapped =
      mmap(nullptr, kMiB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (const void* address :
       {static_cast<const void*>(nullptr), static_cast<const void*>(&object),
        static_cast<const void*>(&local), static_cast<const void*>(foreign),
        static_cast<const void*>(mapped), static_cast<const void*>("text"),
        reinterpret_cast<const void*>(uintptr_t{1}),
        reinterpret_cast<const void*>(UINTPTR_MAX)}) {
    EXPECT_FALSE(Owns(address)) << address;
  }
  munmap(mapped, kMiB);
  std::free(foreign);
  subject::free(block);
}

TEST_F(OwnsTest, NotWhatLiesAround) {
  void* const block = subject::malloc(100);
  const subject::Stats stats = GetStats();
  EXPECT_FALSE(Owns(reinterpret_cast<void*>(stats.address_low - 1)));
  EXPECT_FALSE(Owns(reinterpret_cast<void*>(stats.address_high)));
  // Reserved, but in no span.
  EXPECT_FALSE(Owns(reinterpret_cast<void*>(stats.address_high - 1)));
  subject::free(block);
}

TEST_F(OwnsTest, NoLongerWhatIsFreedForGood) {
  void* const huge = subject::malloc(2 * kMiB);
  EXPECT_TRUE(Owns(huge));
  subject::free(huge);
  EXPECT_FALSE(Owns(huge));
  void* const small = subject::malloc(8);
  subject::free(small);
  ASSERT_EQ(subject::shutdown(), 0);
  EXPECT_FALSE(Owns(small));
}

TEST_F(OwnsTest, BeforeTheFirstBlock) {
  int local = 0;
  EXPECT_FALSE(Owns(&local));
  EXPECT_FALSE(Owns(nullptr));
  EXPECT_EQ(GetStats().bytes_reserved, 0u);
  EXPECT_EQ(GetStats().bytes_metadata, 0u);
}

}  // namespace
}  // namespace contract
