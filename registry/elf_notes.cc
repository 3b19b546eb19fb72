#include "registry/elf_notes.h"

#include "registry/descriptor.h"

namespace alcove::registry {

namespace {

constexpr size_t kOwnerSize = sizeof(ALCOVE_NOTE_OWNER);
constexpr size_t kOwnerRoom = 8;  // rounded up to 4
static_assert(kOwnerSize <= kOwnerRoom && kOwnerSize > kOwnerRoom - 4);

bool IsElf64(const Elf64_Ehdr& header) {
  return header.e_ident[EI_MAG0] == ELFMAG0 &&
         header.e_ident[EI_MAG1] == ELFMAG1 &&
         header.e_ident[EI_MAG2] == ELFMAG2 &&
         header.e_ident[EI_MAG3] == ELFMAG3 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_ident[EI_DATA] == ELFDATA2LSB &&
         (header.e_type == ET_EXEC || header.e_type == ET_DYN) &&
         header.e_phentsize == sizeof(Elf64_Phdr);
}

}  // namespace

void ElfNotes::Open(uintptr_t start) {
  start_ = start;
  extent_ = writable_ = {};
  segments_first_ = segments_read_ = next_segment_ = 0;
  next_note_ = notes_end_ = 0;
  notes_seen_ = 0;
  if (!ReadHeader() || !FindExtent()) segments_count_ = 0;
}

bool ElfNotes::ReadHeader() {
  Elf64_Ehdr header;
  if (!memory_->Read(start_, &header) || !IsElf64(header) ||
      header.e_phnum > kSegmentsMax || header.e_phoff > UINTPTR_MAX - start_) {
    return false;
  }
  segments_at_ = start_ + header.e_phoff;
  segments_count_ = header.e_phnum;
  return true;
}

// The `i`th program header, or null.
const Elf64_Phdr* ElfNotes::Segment(size_t i) {
  if (i - segments_first_ >= segments_read_) {
    const size_t left = segments_count_ - i;
    const size_t count = left < kSegmentsAtOnce ? left : kSegmentsAtOnce;
    segments_first_ = i;
    segments_read_ = 0;
    const size_t offset = i * sizeof(Elf64_Phdr);
    if (offset > UINTPTR_MAX - segments_at_ ||
        !memory_->Copy(segments_at_ + offset, segments_,
                       count * sizeof(Elf64_Phdr))) {
      return nullptr;
    }
    segments_read_ = count;
  }
  return &segments_[i - segments_first_];
}

bool ElfNotes::FindExtent() {
  // The segment that begins with the file says what was added to addresses.
  bool found = false;
  Extent loaded;  // in the file's addresses
  Extent written;
  for (size_t i = 0; i < segments_count_; ++i) {
    const Elf64_Phdr* const segment = Segment(i);
    if (segment == nullptr) return false;
    if (segment->p_type != PT_LOAD) continue;
    if (segment->p_memsz > UINTPTR_MAX - segment->p_vaddr) return false;
    const uintptr_t end = segment->p_vaddr + segment->p_memsz;
    loaded.Cover(segment->p_vaddr, end);
    if ((segment->p_flags & PF_W) != 0) written.Cover(segment->p_vaddr, end);
    if (segment->p_offset == 0 && !found) {
      found = true;
      bias_ = start_ - segment->p_vaddr;
    }
  }
  extent_ = {bias_ + loaded.low, bias_ + loaded.high};
  writable_ = {bias_ + written.low, bias_ + written.high};
  return found && extent_.low <= extent_.high &&
         writable_.low <= writable_.high;
}

bool ElfNotes::NextNoteSegment() {
  while (next_segment_ < segments_count_) {
    const Elf64_Phdr* const segment = Segment(next_segment_++);
    if (segment == nullptr) {
      segments_count_ = 0;
      return false;
    }
    const uintptr_t from = bias_ + segment->p_vaddr;
    if (segment->p_type != PT_NOTE || !extent_.Holds(from, segment->p_memsz))
      continue;
    next_note_ = from;
    notes_end_ = from + segment->p_memsz;
    notes_alignment_ = segment->p_align == 8 ? 8 : 4;
    return true;
  }
  return false;
}

bool ElfNotes::Next(InstanceNote* note) {
  for (;;) {
    if (notes_end_ - next_note_ < sizeof(Elf64_Nhdr)) {
      if (!NextNoteSegment()) return false;
      continue;
    }
    struct {
      Elf64_Nhdr header;
      char owner[kOwnerRoom];
      alcove_instance_note content;
    } read;
    static_assert(sizeof(read) ==
                  sizeof(read.header) + kOwnerRoom + sizeof(read.content));
    const size_t left = notes_end_ - next_note_;
    const size_t want = left < sizeof(read) ? left : sizeof(read);
    if (++notes_seen_ > kNotesMax || !memory_->Copy(next_note_, &read, want)) {
      next_note_ = notes_end_;  // the segment's notes after it are lost, too
      continue;
    }
    // Sizes have 32 bits and these have 64: no sum overflows.
    const uint64_t padding = notes_alignment_ - 1;
    const uint64_t content_at =
        (sizeof(Elf64_Nhdr) + read.header.n_namesz + padding) & ~padding;
    const uint64_t whole =
        (content_at + read.header.n_descsz + padding) & ~padding;
    const uintptr_t at = next_note_;
    next_note_ = whole < left ? at + whole : notes_end_;
    if (want != sizeof(read) || content_at + read.header.n_descsz > left ||
        read.header.n_namesz != kOwnerSize ||
        read.header.n_type != ALCOVE_NOTE_TYPE ||
        read.header.n_descsz < sizeof(read.content) ||
        content_at != offsetof(decltype(read), content)) {
      continue;
    }
    bool ours = true;
    for (size_t i = 0; i < kOwnerSize; ++i)
      ours &= read.owner[i] == ALCOVE_NOTE_OWNER[i];
    if (!ours) continue;
    const uint64_t distance =
        static_cast<uint32_t>(read.content.distance[0]) |
        uint64_t{static_cast<uint32_t>(read.content.distance[1])} << 32;
    note->layout = read.content.layout;
    note->struct_size = read.content.struct_size;
    note->descriptor = at + offsetof(decltype(read), content) +
                       offsetof(alcove_instance_note, distance) + distance;
    return true;
  }
}

}  // namespace alcove::registry
