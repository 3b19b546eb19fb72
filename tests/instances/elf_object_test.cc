// The reader of objects: what it reads, and that nothing in a file can harm it.
#include "instances/audit/elf_object.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "instances/audit/audit.h"
#include "tests/instances/object_builder.h"

namespace alcove::audit {
namespace {

std::string ErrorOf(const std::string& bytes) {
  ElfObject object;
  std::string error;
  return ElfObject::Read(bytes, &object, &error) ? "" : error;
}

template <typename Change>
std::string ErrorOfHeader(Change change) {
  std::string bytes = ObjectBuilder().Build();
  change(*reinterpret_cast<Elf64_Ehdr*>(bytes.data()));
  return ErrorOf(bytes);
}

std::string ReadObject() {
  std::ifstream file("tests/instances/toy_heap.alcove/unaudited.o",
                     std::ios::binary);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

// Everything that the audit does with a file; all that matters is that it ends.
void Exercise(const std::string& bytes) {
  ElfObject object;
  std::string error;
  if (!ElfObject::Read(bytes, &object, &error)) {
    EXPECT_FALSE(error.empty());
    return;
  }
  Policy policy;
  policy.prefix = "toy_";
  policy.names = {"count"};
  Audit(object, policy);
  ReportText(Count(object), policy);
}

TEST(ElfObject, ReadsSectionsAndSymbols) {
  ObjectBuilder builder;
  builder.AddSymbol("render_malloc", STB_GLOBAL, STT_FUNC, 1, STV_PROTECTED);
  builder.AddSymbol("puts", STB_GLOBAL, STT_NOTYPE, SHN_UNDEF);
  builder.AddSymbol("", STB_LOCAL, STT_SECTION, 1);
  ElfObject object;
  std::string error;
  ASSERT_TRUE(ElfObject::Read(builder.Build(), &object, &error)) << error;
  ASSERT_EQ(object.sections().size(), 5u);
  EXPECT_EQ(object.sections()[1].name, ".text");
  EXPECT_EQ(object.sections()[1].header.sh_size, 64u);
  ASSERT_EQ(object.symbols().size(), 4u);
  EXPECT_EQ(object.symbols()[1].name, "render_malloc");
  EXPECT_EQ(object.symbols()[1].visibility, STV_PROTECTED);
  EXPECT_FALSE(object.symbols()[1].IsUndefined());
  EXPECT_TRUE(object.symbols()[2].IsUndefined());
  EXPECT_EQ(object.symbols()[3].name, ".text");
}

TEST(ElfObject, SaysWhatItCannotRead) {
  EXPECT_EQ(ErrorOf(""), "it is no ELF file");
  EXPECT_EQ(ErrorOf("#!/bin/sh\n"), "it is no ELF file");
  EXPECT_EQ(ErrorOf("\x7f"
                    "ELF"),
            "its ELF header is cut short");
  EXPECT_EQ(ErrorOfHeader([](auto& h) { h.e_machine = EM_AARCH64; }),
            "it is not for x86-64");
  EXPECT_EQ(ErrorOfHeader([](auto& h) { h.e_ident[EI_CLASS] = ELFCLASS32; }),
            "it is not for x86-64");
  EXPECT_EQ(ErrorOfHeader([](auto& h) { h.e_type = ET_DYN; }),
            "it is no relocatable object");
  EXPECT_EQ(ErrorOfHeader([](auto& h) { h.e_shentsize = 1; }),
            "its section headers have an unknown size");
  EXPECT_EQ(ErrorOfHeader([](auto& h) { h.e_shoff = ~0ull; }),
            "its section headers lie outside the file");
  EXPECT_EQ(ErrorOfHeader([](auto& h) { h.e_shnum = 0xfff0; }),
            "its section headers lie outside the file");
  EXPECT_EQ(ErrorOfHeader([](auto& h) { h.e_shstrndx = 1; }),
            "it has no section names");
}

TEST(ElfObject, SaysWhichSectionIsBroken) {
  ObjectBuilder outside;
  outside.header(1).sh_size = ~0ull;
  EXPECT_EQ(ErrorOf(outside.Build()), "section 1 lies outside the file");

  ObjectBuilder two_tables;
  const int table = two_tables.AddSection(".other", SHT_SYMTAB, 0, "");
  two_tables.header(table).sh_entsize = sizeof(Elf64_Sym);
  EXPECT_EQ(ErrorOf(two_tables.Build()), "it has two symbol tables");

  ObjectBuilder nowhere;
  nowhere.AddSymbol("x", STB_GLOBAL, STT_FUNC, 77);
  EXPECT_EQ(ErrorOf(nowhere.Build()), "symbol 1 is in no section");

  ObjectBuilder relocation;
  const int rela =
      relocation.AddSection(".rela.text", SHT_RELA, 0,
                            Bytes(Elf64_Rela{0, ELF64_R_INFO(99ull, 1), 0}));
  relocation.header(rela).sh_entsize = sizeof(Elf64_Rela);
  relocation.header(rela).sh_info = 1;
  EXPECT_EQ(ErrorOf(relocation.Build()),
            "section 3 has a relocation without a symbol");

  ObjectBuilder group;
  group.AddSection(".group", SHT_GROUP, 0, "");
  EXPECT_EQ(ErrorOf(group.Build()), "section 3 is a broken section group");
}

TEST(ElfObject, SurvivesEveryTruncation) {
  const std::string bytes = ReadObject();
  ASSERT_GT(bytes.size(), sizeof(Elf64_Ehdr));
  for (size_t size = 0; size < bytes.size(); ++size) {
    // The section headers come last, so no shorter file is whole.
    EXPECT_NE(ErrorOf(bytes.substr(0, size)), "") << size;
  }
}

TEST(ElfObject, SurvivesBrokenBytes) {
  const std::string bytes = ReadObject();
  ASSERT_GT(bytes.size(), sizeof(Elf64_Ehdr));
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string broken = bytes;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i) {
      // Half of them where the sections are described.
      const size_t tail = std::min<size_t>(broken.size(), 2048);
      const size_t at = random() % 2 == 0 ? random() % broken.size()
                                          : broken.size() - 1 - random() % tail;
      broken[at] = static_cast<char>(random() % 2 == 0 ? random() : 0xff);
    }
    Exercise(broken);
  }
}

}  // namespace
}  // namespace alcove::audit
