// One instance as its note and descriptor tell of it, and the ranges that are
// its own.
#ifndef ALCOVE_REGISTRY_INSTANCES_H_
#define ALCOVE_REGISTRY_INSTANCES_H_

#include <stddef.h>
#include <stdint.h>

#include "registry/elf_notes.h"
#include "registry/maps.h"
#include "registry/memory.h"
#include "registry/registry.h"

namespace alcove::registry {

// What is known before any text is copied.
struct Found {
  alcove_instance_status status;
  uintptr_t descriptor;
  alcove_instance_descriptor stated;
};

// Reads the descriptor that a note leads to, never beyond what the note states
// for its size. False if the object is not loaded, but mapped as a file: there
// is no instance then.
bool ReadDescriptor(Memory* memory, const ElfNotes& object,
                    const InstanceNote& note, Found* found);

// All instances of the process, one by one.
class Instances {
 public:
  explicit Instances(Memory* memory) : memory_(memory), notes_(memory) {}

  // The next one; false at the end or if there is an error.
  bool Next(Found* found);

  // Of the one that Next found last. False if it went away meanwhile; what
  // *entry holds then is undefined.
  bool Describe(const Found& found, alcove_instance_entry* entry);

  // A negated error number, or 0.
  long error() const;

 private:
  Memory* memory_;
  Maps maps_;
  MappedFile file_ = {};
  ElfNotes notes_;  // of file_
  // Linkers save room in files: the next segment of an object may be in the
  // file's first page, too. Loaded where it belongs, it looks like an object
  // that begins there, of which all addresses are wrong.
  bool is_part_ = false;  // file_ may be one, of the object before
  uint64_t before_inode_ = 0;
  Extent before_;
};

// Which of the instances has a range that `address` lies in: `count` is that of
// none. `stride` is the distance in bytes between the descriptors' copies.
size_t FindOwner(Memory* memory, const alcove_instance_descriptor* stated,
                 size_t stride, size_t count, uintptr_t address);

// Whether the layout is one that this registry knows.
inline bool CanBeSearched(uint32_t status) {
  return status == ALCOVE_INSTANCE_KNOWN ||
         status == ALCOVE_INSTANCE_UNKNOWN_VERSION;
}

// "1.2.3", each of up to 5 digits, and not later than `newest`.
bool IsKnownVersion(const char* version, const char* newest);

}  // namespace alcove::registry

#endif  // ALCOVE_REGISTRY_INSTANCES_H_
