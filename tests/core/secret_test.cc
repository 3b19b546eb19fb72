#include "core/hardening/secret.h"

#include <set>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

TEST(Secret, StaysUntilItIsForgotten) {
  Secret secret;
  const uint64_t first = secret.Get();
  EXPECT_NE(first, 0u);
  EXPECT_EQ(secret.Get(), first);
  secret.Forget();
  EXPECT_NE(secret.Get(), first);
}

TEST(Secret, IsThereWithoutTheSystem) {
  const ScopedFailures failures(Primitive::kEntropy, Failures::Always());
  std::set<uint64_t> values;
  for (int i = 0; i < 100; ++i) {
    Secret secret;
    values.insert(secret.Get());
    EXPECT_EQ(values.count(0), 0u);
  }
  EXPECT_EQ(values.size(), 100u);
}

TEST(Secret, IsOneForAllThreads) {
  for (int round = 0; round < 20; ++round) {
    Secret secret;
    uint64_t seen[4];
    RunThreads(4, [&](unsigned i) { seen[i] = secret.Get(); });
    for (const uint64_t value : seen) EXPECT_EQ(value, secret.Get());
  }
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
