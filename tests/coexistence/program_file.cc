#include "tests/coexistence/program_file.h"

#include <link.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace coexistence {

namespace {

// How far from the addresses in its file the program was loaded. It is the first
// object that the loader knows.
uint64_t LoadBias() {
  uint64_t bias = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* result) {
        *static_cast<uint64_t*>(result) = info->dlpi_addr;
        return 1;
      },
      &bias);
  return bias;
}

}  // namespace

ProgramFile::ProgramFile() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  bytes_.assign(std::istreambuf_iterator<char>(file), {});
  if (bytes_.size() < sizeof(Elf64_Ehdr)) std::abort();
}

std::vector<Symbol> ProgramFile::Symbols(uint32_t section_type) const {
  std::vector<Symbol> symbols;
  const std::vector<Elf64_Shdr> sections = Sections();
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != section_type) continue;
    const char* const names =
        bytes_.data() + sections[section.sh_link].sh_offset;
    for (size_t at = 0; at < section.sh_size; at += sizeof(Elf64_Sym)) {
      const auto entry = At<Elf64_Sym>(section.sh_offset + at);
      symbols.push_back({names + entry.st_name, entry});
    }
  }
  return symbols;
}

std::vector<Elf64_Phdr> ProgramFile::Segments(uint32_t type) const {
  std::vector<Elf64_Phdr> segments;
  const auto header = At<Elf64_Ehdr>(0);
  for (size_t i = 0; i < header.e_phnum; ++i) {
    const auto segment =
        At<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type == type) segments.push_back(segment);
  }
  return segments;
}

std::string ProgramFile::Contents(const Elf64_Phdr& segment) const {
  return bytes_.substr(segment.p_offset, segment.p_filesz);
}

// The arrays are read where they are loaded: in the file of a position
// independent program they are empty.
std::vector<uint64_t> ProgramFile::CalledAtLoadAndExit() const {
  std::vector<uint64_t> addresses;
  const uint64_t bias = LoadBias();
  for (const Elf64_Shdr& section : Sections()) {
    if (section.sh_type != SHT_INIT_ARRAY &&
        section.sh_type != SHT_FINI_ARRAY &&
        section.sh_type != SHT_PREINIT_ARRAY) {
      continue;
    }
    const auto* const entries =
        reinterpret_cast<const uint64_t*>(bias + section.sh_addr);
    for (size_t i = 0; i < section.sh_size / sizeof(uint64_t); ++i)
      addresses.push_back(entries[i] - bias);
  }
  return addresses;
}

template <typename T>
T ProgramFile::At(size_t offset) const {
  T record;
  std::memcpy(&record, bytes_.data() + offset, sizeof(record));
  return record;
}

std::vector<Elf64_Shdr> ProgramFile::Sections() const {
  std::vector<Elf64_Shdr> sections;
  const auto header = At<Elf64_Ehdr>(0);
  for (size_t i = 0; i < header.e_shnum; ++i)
    sections.push_back(At<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr)));
  return sections;
}

}  // namespace coexistence
