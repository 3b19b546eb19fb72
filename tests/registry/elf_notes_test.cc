// Notes in objects that no linker would make.
#include "registry/elf_notes.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/registry/image.h"

namespace registry_tests {
namespace {

using alcove::registry::ElfNotes;
using alcove::registry::InstanceNote;
using alcove::registry::Memory;

std::vector<InstanceNote> NotesAt(uintptr_t start) {
  Memory memory;
  ElfNotes notes(&memory);
  notes.Open(start);
  std::vector<InstanceNote> found;
  InstanceNote note;
  while (notes.Next(&note)) found.push_back(note);
  EXPECT_EQ(memory.error(), 0);
  return found;
}
std::vector<InstanceNote> NotesOf(const Image& image) {
  return NotesAt(image.pages.address());
}

std::string Ours(int64_t distance = 0) {
  return Note(OwnerName(), 1, Content(1, 104, distance));
}
const size_t kOursSize = Ours().size();

TEST(ElfNotesTest, FindsANote) {
  Image image;
  image.AddNotes(Ours(Image::Distance(Image::kNotes, 2048)));
  const auto found = NotesOf(image);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].layout, 1u);
  EXPECT_EQ(found[0].struct_size, 104u);
  EXPECT_EQ(found[0].descriptor, image.pages.address() + 2048);
}

TEST(ElfNotesTest, FindsAllAmongOthersInAllSegments) {
  Image image;
  image.AddNotes(Note(std::string("GNU\0", 4), 3, std::string(20, 'x')) +
                 Ours(1) + Note("", 0, "") + Ours(2) + Note("odd", 1, "12345") +
                 Ours(3));
  image.AddSegment(PT_DYNAMIC, 3000, 100);
  image.AddNotes(Ours(4) + Ours(5), 2048);
  const auto found = NotesOf(image);
  ASSERT_EQ(found.size(), 5u);
  for (size_t i = 1; i < 5; ++i) EXPECT_NE(found[i].descriptor, 0u);
}

TEST(ElfNotesTest, FindsThemBehindManySegments) {
  Image image(8);
  for (int i = 0; i < 100; ++i) image.AddSegment(PT_NULL, 0, 0);
  image.AddNotes(Ours(), 3 * kPage);
  EXPECT_EQ(NotesOf(image).size(), 1u);
}

TEST(ElfNotesTest, FindsThemWhereTheProgramHasItsOwnAddresses) {
  for (const uint64_t first : {uint64_t{0x400000}, UINT64_MAX - 0xffffff}) {
    Image image;
    const uint64_t at = Image::kNotes;
    Elf64_Phdr* const notes =
        image.AddNotes(Ours(Image::Distance(at, 2048)), at);
    image.load->p_vaddr += first;
    notes->p_vaddr += first;
    const auto found = NotesOf(image);
    ASSERT_EQ(found.size(), 1u) << first;
    EXPECT_EQ(found[0].descriptor, image.pages.address() + 2048);
  }
}

TEST(ElfNotesTest, FindsANoteThatEndsWithTheMemory) {
  Image image;
  image.AddNotes(Ours(), 2 * kPage - kOursSize);
  EXPECT_EQ(NotesOf(image).size(), 1u);
}

TEST(ElfNotesTest, NotesAlignedToEight) {
  Image image;
  std::string notes = Note(std::string("GNU\0", 4), 5, std::string(9, 'x'), 8);
  notes += Ours();
  image.AddNotes(notes)->p_align = 8;
  EXPECT_TRUE(NotesOf(image).empty());  // its content would be elsewhere
}

TEST(ElfNotesTest, ALongerContentIsFine) {
  Image image;
  image.AddNotes(
      Note(OwnerName(), 1, Content(1, 104, 0) + std::string(40, 'x')) + Ours());
  EXPECT_EQ(NotesOf(image).size(), 2u);
}

TEST(ElfNotesTest, NegativeDistancesAndSumsThatOverflow) {
  for (const int64_t distance : {int64_t{-1}, INT64_MIN, INT64_MAX}) {
    Image image;
    image.AddNotes(Ours(distance));
    const auto found = NotesOf(image);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].descriptor, image.pages.address() + Image::kNotes + 28 +
                                       static_cast<uint64_t>(distance));
  }
}

TEST(ElfNotesTest, OtherOwnersAndTypesAreNotOurs) {
  Image image;
  const std::string content = Content(1, 104, 0);
  image.AddNotes(Note(OwnerName(), 2, content) +
                 Note(std::string("alcove\0", 7), 1, content) +
                 Note("Alcove", 1, content) + Note("Alcove!", 1, content) +
                 Note(std::string("Alcove\0\0", 8), 1, content) +
                 Note("", 1, content) + Note(OwnerName(), 1, "") +
                 Note(OwnerName(), 1, content.substr(0, 15)));
  EXPECT_TRUE(NotesOf(image).empty());
}

// Cut off at every byte, at the end of the segment and at that of the memory.
TEST(ElfNotesTest, TruncatedNotes) {
  for (size_t size = 0; size < kOursSize; ++size) {
    Image by_segment;
    by_segment.AddNotes(Ours())->p_memsz = size;
    EXPECT_TRUE(NotesOf(by_segment).empty()) << size;
    Image by_memory;
    by_memory.AddNotes(Ours().substr(0, size), 2 * kPage - size)->p_memsz =
        kOursSize;
    by_memory.load->p_memsz = 3 * kPage;  // it says so, but it is not
    EXPECT_TRUE(NotesOf(by_memory).empty()) << size;
  }
}

TEST(ElfNotesTest, HugeSizesInANote) {
  for (const uint32_t huge :
       {0x7fffffffu, 0x80000000u, 0xfffffffcu, 0xffffffffu}) {
    for (const bool owner : {true, false}) {
      Image image;
      std::string notes = Ours();
      std::memcpy(notes.data() + (owner ? 0 : 4), &huge, 4);
      image.AddNotes(notes + Ours());
      EXPECT_TRUE(NotesOf(image).empty()) << huge;
    }
  }
}

TEST(ElfNotesTest, HugeSizesAndAddressesOfSegments) {
  const uint64_t huge[] = {UINT64_MAX, UINT64_MAX - 7, uint64_t{1} << 63,
                           3 * kPage};
  for (const uint64_t value : huge) {
    Image size;
    size.AddNotes(Ours())->p_memsz = value;
    EXPECT_TRUE(NotesOf(size).empty()) << value;
    Image address;
    address.AddNotes(Ours())->p_vaddr = value;
    EXPECT_TRUE(NotesOf(address).empty()) << value;
  }
  // A segment that wraps around: no object can be so.
  Image load;
  load.AddNotes(Ours());
  load.AddSegment(PT_LOAD, UINT64_MAX - 10, 100);
  EXPECT_TRUE(NotesOf(load).empty());
}

// Zeros are notes, too, of 12 bytes: we give up before all of a large object's.
TEST(ElfNotesTest, NotesWithoutEndEnd) {
  for (const size_t before : {16000, 20000}) {
    Image image(80);
    Elf64_Phdr* const notes = image.AddNotes(Ours(), kPage + 12 * before);
    notes->p_vaddr = kPage;
    notes->p_memsz = 12 * before + kOursSize;
    EXPECT_EQ(NotesOf(image).size(), before == 16000 ? 1u : 0u);
  }
}

TEST(ElfNotesTest, HeadersThatAreNone) {
  const auto broken = [](auto breakage) {
    Image image;
    image.AddNotes(Ours());
    EXPECT_EQ(NotesOf(image).size(), 1u);
    breakage(image.header);
    return NotesOf(image).empty();
  };
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_ident[EI_MAG0] = 0; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_ident[EI_MAG3] = 'f'; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_ident[EI_CLASS] = ELFCLASS32; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_ident[EI_DATA] = ELFDATA2MSB; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_type = ET_REL; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_type = ET_CORE; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_phentsize = 32; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_phnum = 0; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_phnum = 0xffff; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_phnum = 1000; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_phoff = UINT64_MAX; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_phoff = 2 * kPage - 60; }));
  EXPECT_TRUE(broken([](Elf64_Ehdr* h) { h->e_phoff = 1u << 30; }));
}

TEST(ElfNotesTest, WithoutTheSegmentThatHasTheHeader) {
  Image image;
  image.AddNotes(Ours());
  image.load->p_offset = kPage;
  EXPECT_TRUE(NotesOf(image).empty());
}

TEST(ElfNotesTest, WhereThereIsNoMemory) {
  Image image;
  EXPECT_TRUE(NotesAt(reinterpret_cast<uintptr_t>(image.pages.end())).empty());
  EXPECT_TRUE(NotesAt(0).empty());
  EXPECT_TRUE(NotesAt(UINTPTR_MAX - 10).empty());
  // The header alone fits, or not even that.
  std::memcpy(image.pages.end() - sizeof(Elf64_Ehdr), image.header,
              sizeof(Elf64_Ehdr));
  EXPECT_TRUE(NotesAt(reinterpret_cast<uintptr_t>(image.pages.end()) -
                      sizeof(Elf64_Ehdr))
                  .empty());
  std::memcpy(image.pages.end() - 40, image.header, 40);
  EXPECT_TRUE(
      NotesAt(reinterpret_cast<uintptr_t>(image.pages.end()) - 40).empty());
}

TEST(ElfNotesTest, OneObjectAfterAnother) {
  Memory memory;
  ElfNotes notes(&memory);
  InstanceNote note;
  EXPECT_FALSE(notes.Next(&note));
  Image first;
  first.AddNotes(Ours() + Ours());
  Image second;
  second.AddNotes(Ours());
  notes.Open(first.pages.address());
  EXPECT_TRUE(notes.Next(&note));
  notes.Open(second.pages.address());
  EXPECT_TRUE(notes.Next(&note));
  EXPECT_FALSE(notes.Next(&note));
  notes.Open(1);
  EXPECT_FALSE(notes.Next(&note));
}

}  // namespace
}  // namespace registry_tests
