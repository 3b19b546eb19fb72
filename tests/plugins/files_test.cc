// The finished files: what they export, need and take of the static TLS.
#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace plugins {
namespace {

// A shared object, trusted.
class File {
 public:
  explicit File(const std::string& name) {
    std::ifstream file("tests/plugins/lib" + name + ".so", std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    if (bytes_.size() < sizeof(Elf64_Ehdr)) ADD_FAILURE() << name;
  }

  size_t TlsBytes() const {
    for (unsigned i = 0; i < header().e_phnum; ++i) {
      const auto segment =
          At<Elf64_Phdr>(header().e_phoff + i * sizeof(Elf64_Phdr));
      if (segment.p_type == PT_TLS) return segment.p_memsz;
    }
    return 0;
  }

  // Whether loading it later takes static TLS.
  bool NeedsStaticTls() const {
    for (const Elf64_Dyn& entry : Dynamic()) {
      if (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_STATIC_TLS) != 0)
        return true;
    }
    return false;
  }

  // The dynamic symbols that it defines, or those that it needs.
  std::set<std::string> Symbols(bool defined) const {
    std::set<std::string> names;
    for (unsigned i = 0; i < header().e_shnum; ++i) {
      const auto section =
          At<Elf64_Shdr>(header().e_shoff + i * sizeof(Elf64_Shdr));
      if (section.sh_type != SHT_DYNSYM) continue;
      const auto strings = At<Elf64_Shdr>(header().e_shoff +
                                          section.sh_link * sizeof(Elf64_Shdr));
      for (size_t at = 0; at < section.sh_size; at += sizeof(Elf64_Sym)) {
        const auto symbol = At<Elf64_Sym>(section.sh_offset + at);
        if (symbol.st_name == 0) continue;
        // Local ones are there for relocations, and found by nobody.
        if (ELF64_ST_BIND(symbol.st_info) == STB_LOCAL) continue;
        if ((symbol.st_shndx != SHN_UNDEF) != defined) continue;
        names.insert(bytes_.c_str() + strings.sh_offset + symbol.st_name);
      }
    }
    return names;
  }

 private:
  template <typename T>
  T At(size_t offset) const {
    T record;
    std::memcpy(&record, bytes_.data() + offset, sizeof(record));
    return record;
  }
  Elf64_Ehdr header() const { return At<Elf64_Ehdr>(0); }

  std::vector<Elf64_Dyn> Dynamic() const {
    std::vector<Elf64_Dyn> entries;
    for (unsigned i = 0; i < header().e_phnum; ++i) {
      const auto segment =
          At<Elf64_Phdr>(header().e_phoff + i * sizeof(Elf64_Phdr));
      if (segment.p_type != PT_DYNAMIC) continue;
      for (size_t at = 0; at < segment.p_filesz; at += sizeof(Elf64_Dyn))
        entries.push_back(At<Elf64_Dyn>(segment.p_offset + at));
    }
    return entries;
  }

  std::string bytes_;
};

struct Expected {
  const char* name;
  size_t tls_bytes;
  bool is_static;
};

class FilesTest : public testing::TestWithParam<Expected> {};

TEST_P(FilesTest, ExportsOneName) {
  // The linker's own are there with some linkers.
  std::set<std::string> names = File(GetParam().name).Symbols(true);
  for (const char* name : {"_init", "_fini", "_edata", "_end", "__bss_start"})
    names.erase(name);
  EXPECT_EQ(names, std::set<std::string>{"AlcoveTestPlugin"});
}

TEST_P(FilesTest, NeedsNothingOfAnInstance) {
  const std::string prefix = std::string(GetParam().name) + "_";
  for (const std::string& name : File(GetParam().name).Symbols(false))
    EXPECT_NE(name.substr(0, prefix.size()), prefix) << name;
}

TEST_P(FilesTest, TakesTheTlsThatItsKnobSays) {
  const File file(GetParam().name);
  EXPECT_EQ(file.TlsBytes(), GetParam().tls_bytes);
  EXPECT_EQ(file.NeedsStaticTls(), GetParam().is_static);
}

INSTANTIATE_TEST_SUITE_P(
    All, FilesTest,
    testing::Values(Expected{"plain", 8, true}, Expected{"hosted", 8, true},
                    Expected{"watched", 8, true}, Expected{"dynamic", 8, false},
                    Expected{"described", 8, false},
                    Expected{"keyed", 0, false}, Expected{"probed", 0, false}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace plugins
