// The notes of instances in one object, read as a loader has put it into
// memory. Nothing of it is believed: an object may be anything that begins like
// an ELF file, and be unmapped meanwhile.
#ifndef ALCOVE_REGISTRY_ELF_NOTES_H_
#define ALCOVE_REGISTRY_ELF_NOTES_H_

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/memory.h"

namespace alcove::registry {

// [low, high), without overflow.
struct Extent {
  uintptr_t low = 0;
  uintptr_t high = 0;

  bool Holds(uintptr_t from, uint64_t size) const {
    return from >= low && from <= high && size <= high - from;
  }
  void Cover(uintptr_t from, uintptr_t to) {
    if (low == high) low = from;
    if (from < low) low = from;
    if (to > high) high = to;
  }
};

struct InstanceNote {
  uint32_t layout;
  uint32_t struct_size;
  uintptr_t descriptor;  // may be outside of the object
};

class ElfNotes {
 public:
  explicit ElfNotes(Memory* memory) : memory_(memory) {}
  ElfNotes(const ElfNotes&) = delete;
  ElfNotes& operator=(const ElfNotes&) = delete;

  // From now on the object whose file begins at `start`.
  void Open(uintptr_t start);

  // The next note of an instance; false if there is none, or none can be read.
  bool Next(InstanceNote* note);

  // Where it was loaded to, and the part that can be written to.
  const Extent& extent() const { return extent_; }
  const Extent& writable() const { return writable_; }

 private:
  // A program and its shared objects have about a dozen.
  static constexpr size_t kSegmentsAtOnce = 14;
  static constexpr size_t kSegmentsMax = 1024;
  // An object of a thousand instances is fine; one of endless empty notes would
  // keep us for long.
  static constexpr size_t kNotesMax = size_t{1} << 14;

  const Elf64_Phdr* Segment(size_t i);
  bool ReadHeader();
  bool FindExtent();
  bool NextNoteSegment();

  Memory* memory_;
  uintptr_t start_ = 0;
  uintptr_t bias_ = 0;  // what the loader added to the file's addresses
  Extent extent_;
  Extent writable_;
  uintptr_t segments_at_ = 0;
  size_t segments_count_ = 0;
  size_t segments_first_ = 0;  // of those in segments_
  size_t segments_read_ = 0;
  size_t next_segment_ = 0;
  uintptr_t next_note_ = 0;
  uintptr_t notes_end_ = 0;
  size_t notes_alignment_ = 4;
  size_t notes_seen_ = 0;
  Elf64_Phdr segments_[kSegmentsAtOnce];
};

}  // namespace alcove::registry

#endif  // ALCOVE_REGISTRY_ELF_NOTES_H_
