#include "bench/many_instances/elf_size.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

namespace bench {

bool ReadElfSize(const std::string& path, ElfSize* size) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  Elf64_Ehdr header;
  if (bytes.size() < sizeof(header)) return false;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_shentsize != sizeof(Elf64_Shdr) ||
      header.e_shoff > bytes.size() ||
      header.e_shnum > (bytes.size() - header.e_shoff) / sizeof(Elf64_Shdr)) {
    return false;
  }
  *size = {};
  for (size_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    std::memcpy(&section, &bytes[header.e_shoff + i * sizeof(section)],
                sizeof(section));
    if ((section.sh_flags & SHF_ALLOC) == 0) continue;
    if ((section.sh_flags & SHF_TLS) != 0) {
      size->tls += section.sh_size;
    } else if ((section.sh_flags & SHF_EXECINSTR) != 0) {
      size->code += section.sh_size;
    } else if ((section.sh_flags & SHF_WRITE) != 0) {
      size->data += section.sh_size;
    } else {
      size->constants += section.sh_size;
    }
  }
  return true;
}

}  // namespace bench
