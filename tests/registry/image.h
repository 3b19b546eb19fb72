// Memory to put hand-made objects into: pages of which the last is followed by
// one that nobody may read.
#ifndef ALCOVE_TESTS_REGISTRY_IMAGE_H_
#define ALCOVE_TESTS_REGISTRY_IMAGE_H_

#include <elf.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "registry/descriptor.h"

namespace registry_tests {

inline constexpr size_t kPage = 4096;

class Pages {
 public:
  explicit Pages(size_t count) : size_(count * kPage) {
    void* const all = mmap(nullptr, size_ + kPage, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) std::abort();
    start_ = static_cast<char*>(all);
    mprotect(end(), kPage, PROT_NONE);
  }
  ~Pages() { munmap(start_, size_ + kPage); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  char* start() const { return start_; }
  char* end() const { return start_ + size_; }
  uintptr_t address() const { return reinterpret_cast<uintptr_t>(start_); }

 private:
  size_t size_;
  char* start_;
};

// The bytes of a note. Its sizes may be false ones.
inline std::string Note(const std::string& owner, uint32_t type,
                        const std::string& content, size_t alignment = 4) {
  const auto pad = [alignment](std::string* text) {
    while (text->size() % alignment != 0) *text += '\0';
  };
  const Elf64_Nhdr header = {static_cast<Elf64_Word>(owner.size()),
                             static_cast<Elf64_Word>(content.size()), type};
  std::string note(reinterpret_cast<const char*>(&header), sizeof(header));
  note += owner;
  pad(&note);
  note += content;
  pad(&note);
  return note;
}

inline std::string OwnerName() { return std::string("Alcove\0", 7); }

// The content of an instance's note, `distance` from its last 8 bytes on.
inline std::string Content(uint32_t layout, uint32_t size, int64_t distance) {
  std::string content(16, '\0');
  std::memcpy(content.data(), &layout, 4);
  std::memcpy(content.data() + 4, &size, 4);
  std::memcpy(content.data() + 8, &distance, 8);
  return content;
}

// An object of one page or more that is all one segment, with room for a few
// program headers; notes begin at kNotes.
class Image {
 public:
  static constexpr size_t kNotes = 1024;

  explicit Image(size_t pages = 2) : pages(pages) {
    header = reinterpret_cast<Elf64_Ehdr*>(this->pages.start());
    std::memcpy(header->e_ident, ELFMAG, SELFMAG);
    header->e_ident[EI_CLASS] = ELFCLASS64;
    header->e_ident[EI_DATA] = ELFDATA2LSB;
    header->e_type = ET_DYN;
    header->e_phoff = sizeof(Elf64_Ehdr);
    header->e_phentsize = sizeof(Elf64_Phdr);
    segments = reinterpret_cast<Elf64_Phdr*>(header + 1);
    load = AddSegment(PT_LOAD, 0, pages * kPage);
    load->p_flags = PF_R | PF_W;
  }

  Elf64_Phdr* AddSegment(uint32_t type, uint64_t address, uint64_t size) {
    Elf64_Phdr* const segment = &segments[header->e_phnum++];
    segment->p_type = type;
    segment->p_flags = PF_R;
    segment->p_align = 4;
    segment->p_vaddr = segment->p_offset = address;
    segment->p_memsz = segment->p_filesz = size;
    return segment;
  }

  // A segment with these notes.
  Elf64_Phdr* AddNotes(const std::string& notes, uint64_t at = kNotes) {
    std::memcpy(pages.start() + at, notes.data(), notes.size());
    return AddSegment(PT_NOTE, at, notes.size());
  }

  // The distance that leads from the content of a note that begins at `note`
  // to `target`, both counted from the start.
  static int64_t Distance(uint64_t note, uint64_t target) {
    return static_cast<int64_t>(target - (note + 12 + 8 + 8));
  }

  Pages pages;
  Elf64_Ehdr* header;
  Elf64_Phdr* segments;
  Elf64_Phdr* load;
};

}  // namespace registry_tests

#endif  // ALCOVE_TESTS_REGISTRY_IMAGE_H_
