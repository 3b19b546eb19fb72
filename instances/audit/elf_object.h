// A relocatable object file (ELF64, x86-64), read without trusting a byte of
// it.
#ifndef ALCOVE_INSTANCES_AUDIT_ELF_OBJECT_H_
#define ALCOVE_INSTANCES_AUDIT_ELF_OBJECT_H_

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace alcove::audit {

struct Section {
  std::string name;
  Elf64_Shdr header;
};

struct Symbol {
  std::string name;  // a section's symbol has the section's name
  uint8_t bind;      // STB_*
  uint8_t type;      // STT_*
  uint8_t visibility;
  uint16_t section;  // index, or SHN_*
  uint64_t value;
  uint64_t size;

  bool IsUndefined() const { return section == SHN_UNDEF; }
};

// Everything that is read is copied, so an ElfObject outlives the bytes.
class ElfObject {
 public:
  // Reads `bytes`. On failure returns false and says in one sentence why in
  // *error.
  static bool Read(std::string_view bytes, ElfObject* object,
                   std::string* error);

  const std::vector<Section>& sections() const { return sections_; }
  const std::vector<Symbol>& symbols() const { return symbols_; }

  // The names that a section's relocations point at: what an array of pointers
  // calls. A function is named where there is one; anonymous code by its
  // section.
  std::vector<std::string> TargetsOf(size_t section) const;

  // Whether its thread-local variables are reached by calls alone, so that they
  // need no static TLS in whatever it is linked into. False if it has no code
  // that reaches any.
  bool FindsTlsByCalls() const;

  // Where in the file its symbols are.
  size_t symbols_offset() const { return symbols_offset_; }

  // The names that the COMDAT groups are merged by.
  const std::vector<std::string>& comdat_groups() const {
    return comdat_groups_;
  }

 private:
  bool ReadSections(std::string_view bytes, std::string* error);
  bool ReadSymbols(std::string_view bytes, std::string* error);
  bool ReadRelocations(std::string_view bytes, std::string* error);
  bool ReadGroups(std::string_view bytes, std::string* error);
  std::string NameAt(const Symbol& symbol, int64_t addend) const;

  struct Relocation {
    size_t section;  // the section that is patched
    size_t symbol;
    int64_t addend;
    uint32_t type;  // R_X86_64_*
  };

  std::vector<Section> sections_;
  std::vector<Symbol> symbols_;
  size_t symbols_offset_ = 0;
  std::vector<Relocation> relocations_;
  std::vector<std::string> comdat_groups_;
};

}  // namespace alcove::audit

#endif  // ALCOVE_INSTANCES_AUDIT_ELF_OBJECT_H_
