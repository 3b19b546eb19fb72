// The descriptor is, byte for byte, what registry/descriptor.h says, and leads
// to what it says it does.
#include "core/api/descriptor.h"

#include <cstring>
#include <string>

#include "core/api/state.h"
#include "gtest/gtest.h"
#include "registry/descriptor.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

using Public = alcove_instance_descriptor;

#define EXPECT_SAME_FIELD(field)                                   \
  EXPECT_EQ(offsetof(Descriptor, field), offsetof(Public, field)); \
  EXPECT_EQ(sizeof(Descriptor::field), sizeof(Public::field))

TEST(DescriptorTest, IsLaidOutAsThePublicHeaderSays) {
  EXPECT_EQ(sizeof(Descriptor), sizeof(Public));
  EXPECT_EQ(alignof(Descriptor), alignof(Public));
  EXPECT_EQ(ALCOVE_DESCRIPTOR_LAYOUT, ALCOVE_DESCRIPTOR_LAYOUT_1);
  EXPECT_EQ(kDescriptorMagic, ALCOVE_DESCRIPTOR_MAGIC);
  EXPECT_EQ(std::memcmp(&kDescriptorMagic, "AlcoveIn", 8), 0);
  EXPECT_SAME_FIELD(magic);
  EXPECT_SAME_FIELD(struct_size);
  EXPECT_SAME_FIELD(layout);
  EXPECT_SAME_FIELD(self);
  EXPECT_SAME_FIELD(prefix);
  EXPECT_SAME_FIELD(version);
  EXPECT_SAME_FIELD(label);
  EXPECT_SAME_FIELD(config);
  EXPECT_SAME_FIELD(prefix_size);
  EXPECT_SAME_FIELD(version_size);
  EXPECT_SAME_FIELD(label_size);
  EXPECT_SAME_FIELD(config_size);
  EXPECT_SAME_FIELD(ranges);
  EXPECT_SAME_FIELD(ranges_max);
  EXPECT_SAME_FIELD(range_base);
  EXPECT_SAME_FIELD(range_units);
  EXPECT_SAME_FIELD(unit_shift);
  EXPECT_SAME_FIELD(foreign_owner_hook);
}

// Layouts that are out cannot change: these are the numbers of layout 1.
TEST(DescriptorTest, LayoutOneStaysAsItIs) {
  EXPECT_GE(sizeof(Public), 104u);
  EXPECT_EQ(offsetof(Public, self), 16u);
  EXPECT_EQ(offsetof(Public, prefix), 24u);
  EXPECT_EQ(offsetof(Public, prefix_size), 56u);
  EXPECT_EQ(offsetof(Public, ranges), 72u);
  EXPECT_EQ(offsetof(Public, range_base), 84u);
  EXPECT_EQ(offsetof(Public, unit_shift), 92u);
  EXPECT_EQ(offsetof(Public, foreign_owner_hook), 96u);
}

TEST(DescriptorTest, SaysWhoItIs) {
  EXPECT_EQ(g_descriptor.magic, ALCOVE_DESCRIPTOR_MAGIC);
  EXPECT_EQ(g_descriptor.struct_size, sizeof(Public));
  EXPECT_EQ(g_descriptor.self, &g_descriptor);
  EXPECT_EQ(std::string(g_descriptor.prefix), "test_");
  EXPECT_EQ(g_descriptor.prefix_size, 5u);
  EXPECT_EQ(std::string(g_descriptor.version), ALCOVE_VERSION_STRING);
  EXPECT_EQ(g_descriptor.version_size, std::strlen(g_descriptor.version));
  EXPECT_EQ(std::string(g_descriptor.label),
            "//tests/core:core_default_config");
  EXPECT_EQ(g_descriptor.label_size, std::strlen(g_descriptor.label));
  EXPECT_EQ(std::string(g_descriptor.config), ALCOVE_CONFIG_JSON);
  EXPECT_EQ(g_descriptor.config_size, std::strlen(g_descriptor.config));
  EXPECT_EQ(g_descriptor.foreign_owner_hook, &g_foreign_owner_hook);
}

TEST(DescriptorTest, LeadsToTheRanges) {
  const auto* const stated = reinterpret_cast<const Public*>(&g_descriptor);
  EXPECT_EQ(stated->ranges_max, Region::kRangesMax);
  EXPECT_EQ(stated->ranges[0], nullptr);
  const Span span = g_instance.region.Allocate(1, kUnit);
  ASSERT_NE(span.range, nullptr);
  ASSERT_EQ(stated->ranges[0], span.range);
  const auto* const range = static_cast<const char*>(stated->ranges[0]);
  char* base;
  size_t units;
  std::memcpy(&base, range + stated->range_base, sizeof(base));
  std::memcpy(&units, range + stated->range_units, sizeof(units));
  EXPECT_EQ(base, span.range->base());
  EXPECT_EQ(units << stated->unit_shift, span.range->size());
  g_instance.region.Release();
  EXPECT_EQ(stated->ranges[0], nullptr);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
