// The files that are mapped into this process from their beginning: among them
// is every object that a loader, the system's or another one, has loaded.
#ifndef ALCOVE_REGISTRY_MAPS_H_
#define ALCOVE_REGISTRY_MAPS_H_

#include <stddef.h>
#include <stdint.h>

#include "registry/system.h"

namespace alcove::registry {

struct MappedFile {
  uintptr_t start;
  uint64_t inode;
  bool truncated;  // `file` is the end of a longer name
  char file[256];
};

class Maps {
 public:
  explicit Maps(const char* path = "/proc/thread-self/maps") : file_(path) {}

  // The next private, readable mapping of a file's first page; false at the
  // end, or if there is an error.
  bool Next(MappedFile* found);

  // A negated error number, or 0.
  long error() const { return error_ < 0 ? error_ : 0; }

 private:
  int Get();
  uint64_t Number(unsigned base, int* end);
  void CopyName(int c, MappedFile* to);

  File file_;
  long error_ = 0;
  size_t next_ = 0;
  size_t size_ = 0;
  char buffer_[512];
};

}  // namespace alcove::registry

#endif  // ALCOVE_REGISTRY_MAPS_H_
