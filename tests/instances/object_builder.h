// Builds small relocatable objects, sound or not, to show to the audit.
#ifndef ALCOVE_TESTS_INSTANCES_OBJECT_BUILDER_H_
#define ALCOVE_TESTS_INSTANCES_OBJECT_BUILDER_H_

#include <elf.h>

#include <string>
#include <utility>
#include <vector>

namespace alcove::audit {

template <typename T>
std::string Bytes(const T& record) {
  return std::string(reinterpret_cast<const char*>(&record), sizeof(record));
}

class ObjectBuilder {
 public:
  // Section 0 is the null section, 1 the text, 2 says that the stack is not
  // executable.
  ObjectBuilder() {
    AddSection("", SHT_NULL, 0, "");
    AddSection(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR,
               std::string(64, '\xc3'));
    AddSection(".note.GNU-stack", SHT_PROGBITS, 0, "");
    AddSymbol("", STB_LOCAL, STT_NOTYPE, SHN_UNDEF);
  }

  // Returns the section's index.
  int AddSection(const std::string& name, unsigned type, uint64_t flags,
                 std::string contents) {
    Part part;
    part.name = name;
    part.contents = std::move(contents);
    part.header.sh_type = type;
    part.header.sh_flags = flags;
    part.header.sh_size = part.contents.size();
    parts_.push_back(std::move(part));
    return static_cast<int>(parts_.size()) - 1;
  }

  // The header of a section, to change what AddSection leaves at zero.
  Elf64_Shdr& header(int section) { return parts_[section].header; }

  // Returns the symbol's index.
  int AddSymbol(const std::string& name, unsigned bind, unsigned type,
                unsigned section, unsigned visibility = STV_DEFAULT,
                uint64_t size = 0) {
    Elf64_Sym symbol = {};
    symbol.st_name = AddString(name);
    symbol.st_info = ELF64_ST_INFO(bind, type);
    symbol.st_other = static_cast<unsigned char>(visibility);
    symbol.st_shndx = static_cast<Elf64_Half>(section);
    symbol.st_size = size;
    symbols_ += Bytes(symbol);
    return static_cast<int>(symbols_.size() / sizeof(symbol)) - 1;
  }

  // A relocation in a section, against the null symbol.
  void AddRelocation(int section, unsigned type) {
    Elf64_Rela relocation = {};
    relocation.r_info = ELF64_R_INFO(0, type);
    const int table = AddSection(".rela", SHT_RELA, 0, Bytes(relocation));
    header(table).sh_entsize = sizeof(relocation);
    header(table).sh_info = section;
  }

  // The file: its header, the sections' contents, their headers.
  std::string Build() {
    const int symbols = AddSection(".symtab", SHT_SYMTAB, 0, symbols_);
    const int names = AddSection(".shstrtab", SHT_STRTAB, 0, "");
    header(symbols).sh_entsize = sizeof(Elf64_Sym);
    header(symbols).sh_link = names;
    for (Part& part : parts_) part.header.sh_name = AddString(part.name);
    parts_[names].contents = strings_;
    parts_[names].header.sh_size = strings_.size();

    std::string contents;
    std::string headers;
    for (Part& part : parts_) {
      part.header.sh_offset = sizeof(Elf64_Ehdr) + contents.size();
      contents += part.contents;
      headers += Bytes(part.header);
    }
    Elf64_Ehdr file = {};
    for (int i = 0; i < SELFMAG; ++i) file.e_ident[i] = ELFMAG[i];
    file.e_ident[EI_CLASS] = ELFCLASS64;
    file.e_ident[EI_DATA] = ELFDATA2LSB;
    file.e_type = ET_REL;
    file.e_machine = EM_X86_64;
    file.e_shentsize = sizeof(Elf64_Shdr);
    file.e_shoff = sizeof(file) + contents.size();
    file.e_shnum = static_cast<Elf64_Half>(parts_.size());
    file.e_shstrndx = static_cast<Elf64_Half>(names);
    return Bytes(file) + contents + headers;
  }

 private:
  struct Part {
    std::string name;
    std::string contents;
    Elf64_Shdr header = {};
  };

  uint32_t AddString(const std::string& text) {
    const auto offset = static_cast<uint32_t>(strings_.size());
    strings_ += text + '\0';
    return offset;
  }

  std::vector<Part> parts_;
  std::string symbols_;
  std::string strings_;
};

}  // namespace alcove::audit

#endif  // ALCOVE_TESTS_INSTANCES_OBJECT_BUILDER_H_
