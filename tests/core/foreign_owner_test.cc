// What the stop asks of the hook, and what it makes of the answer.
#include "core/hardening/foreign_owner.h"

#include <cstring>
#include <string>

#include "core/hardening/misuse.h"
#include "gtest/gtest.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

const auto kAddress = reinterpret_cast<void*>(uintptr_t{0x7f0012345670});
constexpr char kForeign[] =
    "^alcove\\[test_\\]: free of memory that is not this instance's, at "
    "0x7f0012345670";

int g_calls;

size_t Knows(const void* address, char* text, size_t size) {
  if (address != kAddress || ++g_calls != 1 || size < 100) return 0;
  std::memcpy(text, "alcove[b_] 1.2", 14);
  return 14;
}
size_t KnowsNobody(const void*, char* text, size_t) {
  text[0] = 'x';
  return 0;
}
size_t Fills(const void*, char* text, size_t size) {
  std::memset(text, 'x', size);
  return size;
}
size_t ClaimsTooMuch(const void*, char*, size_t size) { return size + 1; }

class ForeignOwnerDeathTest : public testing::Test {
 protected:
  ForeignOwnerDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  ~ForeignOwnerDeathTest() override { Ask(nullptr); }
  static void Ask(ForeignOwnerHook hook) {
    g_foreign_owner_hook.Store(hook, Order::kRelease);
  }
};

TEST_F(ForeignOwnerDeathTest, IsNamedBehindTheAddress) {
  Ask(Knows);
  EXPECT_EXIT(Stop(Misuse::kFreeForeign, kAddress),
              testing::KilledBySignal(SIGABRT),
              std::string(kForeign) + ": it belongs to alcove\\[b_\\] 1.2\n$");
  EXPECT_EXIT(Stop(Misuse::kUseForeign, kAddress),
              testing::KilledBySignal(SIGABRT),
              "0x7f0012345670: it belongs to alcove\\[b_\\] 1.2\n$");
}

TEST_F(ForeignOwnerDeathTest, NobodyIsAskedAboutOnesOwn) {
  Ask(Knows);
  EXPECT_EXIT(Stop(Misuse::kDoubleFree, kAddress),
              testing::KilledBySignal(SIGABRT), "of 0x7f0012345670\n$");
}

TEST_F(ForeignOwnerDeathTest, WithoutAnAnswerTheLineIsAsEver) {
  for (const ForeignOwnerHook hook :
       {static_cast<ForeignOwnerHook>(nullptr), &KnowsNobody, &ClaimsTooMuch}) {
    Ask(hook);
    EXPECT_EXIT(Stop(Misuse::kFreeForeign, kAddress),
                testing::KilledBySignal(SIGABRT),
                std::string(kForeign) + "\n$");
  }
}

TEST_F(ForeignOwnerDeathTest, ALongAnswerFits) {
  Ask(Fills);
  EXPECT_EXIT(Stop(Misuse::kFreeForeign, kAddress),
              testing::KilledBySignal(SIGABRT),
              std::string(kForeign) + ": it belongs to x{255}\n$");
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
