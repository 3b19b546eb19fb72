// Reads memory of this process that may be unmapped, or was never mapped, at
// any moment.
#ifndef ALCOVE_REGISTRY_MEMORY_H_
#define ALCOVE_REGISTRY_MEMORY_H_

#include <stddef.h>
#include <stdint.h>

#include "registry/system.h"

namespace alcove::registry {

// What to read and where to: struct iovec.
struct Stretch {
  void* address;
  size_t size;
};

class Memory {
 public:
  // How to ask the system; the first way that it allows is kept. A test says
  // which.
  enum class Way { kCall, kFile, kNone };

  explicit Memory(Way way = Way::kCall)
      : way_(way), thread_(Call(SYS_gettid)) {}

  // Reads all of it, or returns false; what `to` holds then is undefined.
  bool Copy(uintptr_t from, void* to, size_t size);

  template <typename T>
  bool Read(uintptr_t from, T* to) {
    return Copy(from, to, sizeof(T));
  }

  // Reads `count` stretches at once; bit i of the result: the ith was read
  // whole. No stretch is empty.
  // (So few because of stacks for signals, which may have 8 KiB, the system's
  // own part included.)
  static constexpr size_t kAtOnce = 16;
  uint32_t CopyAll(const Stretch* from, const Stretch* to, size_t count);

  // Why no way was left, a negated error number; 0: there is one.
  long error() const { return way_ == Way::kNone ? error_ : 0; }

 private:
  void LoseWay(long error);

  Way way_;
  // By its own id, since the first thread of a process, whose id is that of the
  // process, may have ended, and its memory with it.
  long thread_;
  File file_;
  long error_ = 0;
};

}  // namespace alcove::registry

#endif  // ALCOVE_REGISTRY_MEMORY_H_
