#include "instances/audit/elf_object.h"

#include <cstring>

namespace alcove::audit {
namespace {

// The bytes [offset, offset + size) of the file, or false if it does not have
// them.
bool Slice(std::string_view bytes, uint64_t offset, uint64_t size,
           std::string_view* slice) {
  if (offset > bytes.size() || size > bytes.size() - offset) return false;
  *slice = bytes.substr(offset, size);
  return true;
}

// A record at an index of a table; tables need not be aligned.
template <typename T>
bool RecordAt(std::string_view table, uint64_t index, T* record) {
  if (index >= table.size() / sizeof(T)) return false;
  std::memcpy(record, table.data() + index * sizeof(T), sizeof(T));
  return true;
}

// A string of a string table; it has to end within the table.
bool StringAt(std::string_view table, uint64_t offset, std::string* text) {
  if (offset >= table.size()) return false;
  const size_t end = table.find('\0', offset);
  if (end == std::string_view::npos) return false;
  *text = table.substr(offset, end - offset);
  return true;
}

bool Fail(std::string* error, std::string sentence) {
  *error = std::move(sentence);
  return false;
}

std::string SectionText(size_t index) {
  return "section " + std::to_string(index);
}

}  // namespace

bool ElfObject::Read(std::string_view bytes, ElfObject* object,
                     std::string* error) {
  *object = ElfObject();
  return object->ReadSections(bytes, error) &&
         object->ReadSymbols(bytes, error) &&
         object->ReadRelocations(bytes, error) &&
         object->ReadGroups(bytes, error);
}

bool ElfObject::ReadSections(std::string_view bytes, std::string* error) {
  Elf64_Ehdr header;
  if (bytes.size() < SELFMAG ||
      std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0) {
    return Fail(error, "it is no ELF file");
  }
  if (!RecordAt(bytes, 0, &header)) {
    return Fail(error, "its ELF header is cut short");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64) {
    return Fail(error, "it is not for x86-64");
  }
  if (header.e_type != ET_REL) {
    return Fail(error, "it is no relocatable object");
  }
  if (header.e_shentsize != sizeof(Elf64_Shdr)) {
    return Fail(error, "its section headers have an unknown size");
  }

  std::string_view first;
  Elf64_Shdr null_section;
  if (!Slice(bytes, header.e_shoff, sizeof(Elf64_Shdr), &first) ||
      !RecordAt(first, 0, &null_section)) {
    return Fail(error, "its section headers lie outside the file");
  }
  // Numbers that do not fit the header are kept in the first section's.
  const uint64_t count =
      header.e_shnum != 0 ? header.e_shnum : null_section.sh_size;
  const uint64_t names_index = header.e_shstrndx != SHN_XINDEX
                                   ? header.e_shstrndx
                                   : null_section.sh_link;
  std::string_view table;
  if (count > bytes.size() / sizeof(Elf64_Shdr) ||
      !Slice(bytes, header.e_shoff, count * sizeof(Elf64_Shdr), &table)) {
    return Fail(error, "its section headers lie outside the file");
  }
  sections_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    RecordAt(table, i, &sections_[i].header);
    const Elf64_Shdr& section = sections_[i].header;
    std::string_view contents;
    if (i != 0 && section.sh_type != SHT_NOBITS &&
        !Slice(bytes, section.sh_offset, section.sh_size, &contents)) {
      return Fail(error, SectionText(i) + " lies outside the file");
    }
  }

  if (names_index >= count ||
      sections_[names_index].header.sh_type != SHT_STRTAB) {
    return Fail(error, "it has no section names");
  }
  std::string_view names;
  const Elf64_Shdr& names_header = sections_[names_index].header;
  Slice(bytes, names_header.sh_offset, names_header.sh_size, &names);
  for (size_t i = 0; i < count; ++i) {
    if (!StringAt(names, sections_[i].header.sh_name, &sections_[i].name)) {
      return Fail(error, SectionText(i) + " has no valid name");
    }
  }
  return true;
}

bool ElfObject::ReadSymbols(std::string_view bytes, std::string* error) {
  size_t table_index = 0;
  for (size_t i = 1; i < sections_.size(); ++i) {
    if (sections_[i].header.sh_type != SHT_SYMTAB) continue;
    if (table_index != 0) return Fail(error, "it has two symbol tables");
    table_index = i;
  }
  if (table_index == 0) return Fail(error, "it has no symbol table");

  const Elf64_Shdr& header = sections_[table_index].header;
  if (header.sh_entsize != sizeof(Elf64_Sym) ||
      header.sh_size % sizeof(Elf64_Sym) != 0) {
    return Fail(error, "its symbols have an unknown size");
  }
  if (header.sh_link >= sections_.size() ||
      sections_[header.sh_link].header.sh_type != SHT_STRTAB) {
    return Fail(error, "it has no symbol names");
  }
  const Elf64_Shdr& names_header = sections_[header.sh_link].header;
  std::string_view table;
  std::string_view names;
  Slice(bytes, header.sh_offset, header.sh_size, &table);
  Slice(bytes, names_header.sh_offset, names_header.sh_size, &names);

  symbols_offset_ = header.sh_offset;
  Elf64_Sym record;
  for (size_t i = 0; RecordAt(table, i, &record); ++i) {
    Symbol symbol;
    symbol.bind = ELF64_ST_BIND(record.st_info);
    symbol.type = ELF64_ST_TYPE(record.st_info);
    symbol.visibility = ELF64_ST_VISIBILITY(record.st_other);
    symbol.section = record.st_shndx;
    symbol.value = record.st_value;
    symbol.size = record.st_size;
    if (!StringAt(names, record.st_name, &symbol.name)) {
      return Fail(error, "symbol " + std::to_string(i) + " has no valid name");
    }
    if (symbol.section < SHN_LORESERVE && symbol.section >= sections_.size()) {
      return Fail(error, "symbol " + std::to_string(i) + " is in no section");
    }
    if (symbol.type == STT_SECTION && symbol.name.empty() &&
        symbol.section < SHN_LORESERVE) {
      symbol.name = sections_[symbol.section].name;
    }
    symbols_.push_back(std::move(symbol));
  }
  return true;
}

bool ElfObject::ReadRelocations(std::string_view bytes, std::string* error) {
  for (size_t i = 1; i < sections_.size(); ++i) {
    const Elf64_Shdr& header = sections_[i].header;
    if (header.sh_type == SHT_REL) {
      return Fail(error,
                  SectionText(i) +
                      " has relocations of a kind that x86-64 does not use");
    }
    if (header.sh_type != SHT_RELA) continue;
    if (header.sh_entsize != sizeof(Elf64_Rela) ||
        header.sh_info >= sections_.size()) {
      return Fail(error, SectionText(i) + " has broken relocations");
    }
    std::string_view table;
    Slice(bytes, header.sh_offset, header.sh_size, &table);
    Elf64_Rela record;
    for (size_t j = 0; RecordAt(table, j, &record); ++j) {
      const size_t symbol = ELF64_R_SYM(record.r_info);
      if (symbol >= symbols_.size()) {
        return Fail(error,
                    SectionText(i) + " has a relocation without a symbol");
      }
      relocations_.push_back(
          {header.sh_info, symbol, record.r_addend,
           static_cast<uint32_t>(ELF64_R_TYPE(record.r_info))});
    }
  }
  return true;
}

bool ElfObject::ReadGroups(std::string_view bytes, std::string* error) {
  for (size_t i = 1; i < sections_.size(); ++i) {
    const Elf64_Shdr& header = sections_[i].header;
    if (header.sh_type != SHT_GROUP) continue;
    std::string_view table;
    Slice(bytes, header.sh_offset, header.sh_size, &table);
    Elf64_Word flags;
    if (!RecordAt(table, 0, &flags) || header.sh_info >= symbols_.size()) {
      return Fail(error, SectionText(i) + " is a broken section group");
    }
    if (flags & GRP_COMDAT) {
      comdat_groups_.push_back(symbols_[header.sh_info].name);
    }
  }
  return true;
}

bool ElfObject::FindsTlsByCalls() const {
  bool calls = false;
  for (const Relocation& relocation : relocations_) {
    switch (relocation.type) {
      case R_X86_64_TLSGD:
      case R_X86_64_TLSLD:
      case R_X86_64_GOTPC32_TLSDESC:
      case R_X86_64_TLSDESC_CALL:
      case 45:  // R_X86_64_CODE_4_GOTPC32_TLSDESC: the psABI's, not yet elf.h's
        calls = true;
        break;
      case R_X86_64_GOTTPOFF:
      case R_X86_64_TPOFF32:
      case R_X86_64_TPOFF64:
      case 44:  // R_X86_64_CODE_4_GOTTPOFF
      case 50:  // R_X86_64_CODE_6_GOTTPOFF
        return false;
    }
  }
  return calls;
}

std::string ElfObject::NameAt(const Symbol& symbol, int64_t addend) const {
  if (symbol.type != STT_SECTION) return symbol.name;
  for (const Symbol& candidate : symbols_) {
    if (candidate.type == STT_FUNC && candidate.section == symbol.section &&
        candidate.value == static_cast<uint64_t>(addend)) {
      return candidate.name;
    }
  }
  return symbol.name;
}

std::vector<std::string> ElfObject::TargetsOf(size_t section) const {
  std::vector<std::string> names;
  for (const Relocation& relocation : relocations_) {
    if (relocation.section != section) continue;
    names.push_back(NameAt(symbols_[relocation.symbol], relocation.addend));
  }
  return names;
}

}  // namespace alcove::audit
