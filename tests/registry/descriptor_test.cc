// Descriptors, sound and not: what is believed, and that nothing beyond the
// stated size is read.
#include <vector>

#include "gtest/gtest.h"
#include "registry/instances.h"
#include "tests/registry/image.h"

namespace registry_tests {
namespace {

using alcove::registry::ElfNotes;
using alcove::registry::Found;
using alcove::registry::InstanceNote;
using alcove::registry::IsKnownVersion;
using alcove::registry::Memory;
using alcove::registry::ReadDescriptor;

using Descriptor = alcove_instance_descriptor;

constexpr uint64_t kTexts = 2048;
constexpr uint64_t kRanges = 3072;
constexpr uint64_t kHook = 3200;

// An image with one instance, whose descriptor ends `size` bytes before the end
// of what can be read.
class OneInstance {
 public:
  explicit OneInstance(uint32_t layout = 1, uint32_t size = sizeof(Descriptor),
                       uint32_t said_size = 0)
      : at_(2 * kPage - size) {
    const uint32_t note_size = said_size == 0 ? size : said_size;
    image.AddNotes(
        Note(OwnerName(), 1,
             Content(layout, note_size, Image::Distance(Image::kNotes, at_))));
    stated.magic = ALCOVE_DESCRIPTOR_MAGIC;
    stated.struct_size = size;
    stated.layout = layout;
    stated.self =
        reinterpret_cast<const Descriptor*>(image.pages.start() + at_);
    stated.prefix = Text(0, "p_");
    stated.version = Text(16, "0.1.0");
    stated.label = Text(32, "//p:heap");
    stated.prefix_size = 2;
    stated.version_size = 5;
    stated.label_size = 8;
    stated.ranges =
        reinterpret_cast<const void**>(image.pages.start() + kRanges);
    stated.ranges_max = 4;
    stated.range_units = 8;
    stated.unit_shift = 16;
    stated.foreign_owner_hook = reinterpret_cast<alcove_foreign_owner_hook*>(
        image.pages.start() + kHook);
  }

  // Whether there is an instance; its status is in `found`.
  bool Read() {
    char* const to = image.pages.start() + at_;
    std::memcpy(
        to, &stated,
        std::min(sizeof(stated), static_cast<size_t>(image.pages.end() - to)));
    Memory memory;
    ElfNotes notes(&memory);
    notes.Open(image.pages.address());
    InstanceNote note;
    if (!notes.Next(&note)) return false;
    std::memset(&found, 0xff, sizeof(found));
    return ReadDescriptor(&memory, notes, note, &found);
  }

  int Status() {
    if (!Read()) return -1;
    // What must not be believed is not handed on.
    if (found.status != ALCOVE_INSTANCE_KNOWN) {
      EXPECT_EQ(found.stated.prefix, nullptr);
      EXPECT_EQ(found.stated.ranges, nullptr);
      EXPECT_EQ(found.stated.foreign_owner_hook, nullptr);
    }
    return found.status;
  }

  Image image;
  Descriptor stated = {};
  Found found;

 private:
  const char* Text(size_t offset, const char* text) {
    return std::strcpy(image.pages.start() + kTexts + offset, text);
  }

  uint64_t at_;
};

TEST(DescriptorTest, ASoundOne) {
  OneInstance one;
  EXPECT_EQ(one.Status(), ALCOVE_INSTANCE_KNOWN);
  EXPECT_EQ(std::memcmp(&one.found.stated, &one.stated, sizeof(one.stated)), 0);
}

TEST(DescriptorTest, ALongerOneIsReadAsFarAsItIsKnown) {
  OneInstance one(1, sizeof(Descriptor) + 400);
  EXPECT_EQ(one.Status(), ALCOVE_INSTANCE_KNOWN);
  EXPECT_EQ(std::memcmp(&one.found.stated, &one.stated, sizeof(one.stated)), 0);
}

// The rest of it would be where nothing can be read.
TEST(DescriptorTest, AnUnknownLayoutIsReadToItsStatedSize) {
  for (const uint32_t size : {24u, 25u, 103u, 104u, 105u, 500u}) {
    OneInstance one(2, size);
    EXPECT_EQ(one.Status(), ALCOVE_INSTANCE_UNKNOWN_LAYOUT) << size;
    EXPECT_EQ(one.found.stated.layout, 2u);
    EXPECT_EQ(one.found.stated.struct_size, size);
    EXPECT_EQ(one.found.stated.self, one.stated.self);
  }
}

TEST(DescriptorTest, OfOneTooShortForAnythingNothingIsRead) {
  for (const uint32_t size : {1u, 8u, 16u, 23u}) {
    OneInstance one(2, size);
    EXPECT_EQ(one.Status(), ALCOVE_INSTANCE_UNKNOWN_LAYOUT) << size;
    EXPECT_EQ(one.found.stated.layout, 2u);
    EXPECT_EQ(one.found.stated.struct_size, size);
    EXPECT_EQ(one.found.stated.magic, 0u);
    EXPECT_EQ(one.found.stated.self, nullptr);
    EXPECT_EQ(OneInstance(1, size).Status(), ALCOVE_INSTANCE_MALFORMED);
  }
}

TEST(DescriptorTest, AKnownLayoutThatIsTooShort) {
  for (const uint32_t size : {24u, 64u, 103u})
    EXPECT_EQ(OneInstance(1, size).Status(), ALCOVE_INSTANCE_MALFORMED);
}

TEST(DescriptorTest, NoteAndDescriptorDisagree) {
  OneInstance size(1, 104);
  size.stated.struct_size = 200;
  EXPECT_EQ(size.Status(), ALCOVE_INSTANCE_MALFORMED);
  OneInstance layout(1, 104);
  layout.stated.layout = 2;
  EXPECT_EQ(layout.Status(), ALCOVE_INSTANCE_MALFORMED);
  // The note says less than there is: no more is read.
  EXPECT_EQ(OneInstance(1, 104, 24).Status(), ALCOVE_INSTANCE_MALFORMED);
  EXPECT_EQ(OneInstance(1, 104, 16).Status(), ALCOVE_INSTANCE_MALFORMED);
  // And more than the object has room for.
  for (const uint32_t more : {105u, 4096u, 0x7fffffffu, 0xffffffffu}) {
    EXPECT_EQ(OneInstance(1, 104, more).Status(), ALCOVE_INSTANCE_MALFORMED);
    EXPECT_EQ(OneInstance(2, 104, more).Status(), ALCOVE_INSTANCE_MALFORMED);
  }
}

TEST(DescriptorTest, WrongMagic) {
  OneInstance one;
  one.stated.magic ^= 1;
  EXPECT_EQ(one.Status(), ALCOVE_INSTANCE_MALFORMED);
}

// A file that is mapped to be read, not loaded.
TEST(DescriptorTest, AnotherSelfIsNoInstance) {
  OneInstance one;
  one.stated.self = nullptr;
  EXPECT_FALSE(one.Read());
  one.stated.self = reinterpret_cast<const Descriptor*>(uintptr_t{0x1000});
  EXPECT_FALSE(one.Read());
}

TEST(DescriptorTest, DescriptorOutsideOfTheObject) {
  for (const int64_t distance : {int64_t{-100000}, int64_t{100000}, INT64_MIN,
                                 INT64_MAX, int64_t{2 * kPage}}) {
    Image image;
    image.AddNotes(Note(OwnerName(), 1, Content(1, 104, distance)));
    Memory memory;
    ElfNotes notes(&memory);
    notes.Open(image.pages.address());
    InstanceNote note;
    ASSERT_TRUE(notes.Next(&note));
    Found found;
    EXPECT_TRUE(ReadDescriptor(&memory, notes, note, &found));
    EXPECT_EQ(found.status, ALCOVE_INSTANCE_MALFORMED);
  }
}

TEST(DescriptorTest, PointersThatLeaveTheObject) {
  const auto status = [](auto breakage) {
    OneInstance one;
    breakage(&one.stated);
    return one.Status();
  };
  const auto* const far = reinterpret_cast<const char*>(uintptr_t{8});
  constexpr int kMalformed = ALCOVE_INSTANCE_MALFORMED;
  EXPECT_EQ(status([&](Descriptor* d) { d->prefix = far; }), kMalformed);
  EXPECT_EQ(status([&](Descriptor* d) { d->version = far; }), kMalformed);
  EXPECT_EQ(status([&](Descriptor* d) { d->label = nullptr; }), kMalformed);
  EXPECT_EQ(status([&](Descriptor* d) { d->config = far; }), kMalformed);
  EXPECT_EQ(status([&](Descriptor* d) { d->prefix_size = 3 * kPage; }),
            kMalformed);
  EXPECT_EQ(status([&](Descriptor* d) { d->label_size = UINT32_MAX; }),
            kMalformed);
  EXPECT_EQ(status([&](Descriptor* d) { d->ranges = nullptr; }), kMalformed);
  EXPECT_EQ(status([&](Descriptor* d) { d->ranges_max = 2 * kPage; }),
            kMalformed);
  EXPECT_EQ(status([&](Descriptor* d) { d->ranges_max = UINT32_MAX; }),
            kMalformed);
  EXPECT_EQ(status([&](Descriptor* d) { d->unit_shift = 64; }), kMalformed);
  EXPECT_EQ(status([&](Descriptor* d) { d->foreign_owner_hook = nullptr; }),
            kMalformed);
  EXPECT_EQ(status([&](Descriptor* d) {
              d->foreign_owner_hook =
                  reinterpret_cast<alcove_foreign_owner_hook*>(
                      reinterpret_cast<char*>(d->foreign_owner_hook) + 4);
            }),
            kMalformed);
  EXPECT_EQ(status([&](Descriptor*) {}), ALCOVE_INSTANCE_KNOWN);
}

TEST(DescriptorTest, TheHookHasToBeWritable) {
  OneInstance one;
  one.image.load->p_flags = PF_R;
  EXPECT_EQ(one.Status(), ALCOVE_INSTANCE_MALFORMED);
}

TEST(DescriptorTest, OneThatGoesAwayIsNotDescribed) {
  Memory memory;
  alcove::registry::Instances instances(&memory);
  alcove_instance_entry entry;
  OneInstance one;
  ASSERT_TRUE(one.Read());
  EXPECT_TRUE(instances.Describe(one.found, &entry));
  EXPECT_STREQ(entry.prefix, "p_");
  EXPECT_STREQ(entry.version, "0.1.0");
  EXPECT_STREQ(entry.label, "//p:heap");
  // Another one is there now.
  auto* const there = const_cast<Descriptor*>(one.found.stated.self);
  there->label_size = 7;
  EXPECT_FALSE(instances.Describe(one.found, &entry));
  there->label_size = 8;
  EXPECT_TRUE(instances.Describe(one.found, &entry));
  // Its texts are gone, then all of it.
  mprotect(one.image.pages.start(), kPage, PROT_NONE);
  EXPECT_FALSE(instances.Describe(one.found, &entry));
  mprotect(one.image.pages.start(), 2 * kPage, PROT_NONE);
  EXPECT_FALSE(instances.Describe(one.found, &entry));
}

TEST(DescriptorTest, Versions) {
  for (const char* version : {"0.0.0", "0.1.0", "1.2.2", "1.2.3", "1.1.99999"})
    EXPECT_TRUE(IsKnownVersion(version, "1.2.3")) << version;
  for (const char* version :
       {"1.2.4", "1.3.0", "2.0.0", "1.10.0", "", "1", "1.2", "1.2.", "1.2.3.4",
        "1.2.x", "v1.2.3", "1.2.3-rc1", "-1.2.3", "1..3", "1.2.100000",
        "1.2.99999999999999999999", " 1.2.3"}) {
    EXPECT_FALSE(IsKnownVersion(version, "1.2.3")) << version;
  }
}

}  // namespace
}  // namespace registry_tests
