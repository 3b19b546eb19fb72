// This program as the linker left it: its own file, trusted.
#ifndef TESTS_COEXISTENCE_PROGRAM_FILE_H_
#define TESTS_COEXISTENCE_PROGRAM_FILE_H_

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace coexistence {

struct Symbol {
  std::string name;
  Elf64_Sym entry;

  int bind() const { return ELF64_ST_BIND(entry.st_info); }
  int type() const { return ELF64_ST_TYPE(entry.st_info); }
  bool IsDefined() const { return entry.st_shndx != SHN_UNDEF; }
};

class ProgramFile {
 public:
  ProgramFile();

  std::vector<Symbol> Symbols(uint32_t section_type) const;  // SHT_SYMTAB
  std::vector<Elf64_Phdr> Segments(uint32_t type) const;
  std::string Contents(const Elf64_Phdr& segment) const;

  // What the program calls at its start and its end, as addresses in the file.
  std::vector<uint64_t> CalledAtLoadAndExit() const;

 private:
  template <typename T>
  T At(size_t offset) const;
  std::vector<Elf64_Shdr> Sections() const;

  std::string bytes_;
};

}  // namespace coexistence

#endif  // TESTS_COEXISTENCE_PROGRAM_FILE_H_
