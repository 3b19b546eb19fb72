#include "registry/memory.h"

namespace alcove::registry {

// What can be wrong with one address. Any other error is about the way.
static bool IsAboutAddress(long error) {
  return error == -kErrFault || error == -kErrIo;
}

void Memory::LoseWay(long error) {
  if (error_ == 0) error_ = error;  // the first way's says more
  way_ = way_ == Way::kCall ? Way::kFile : Way::kNone;
}

uint32_t Memory::CopyAll(const Stretch* from, const Stretch* to, size_t count) {
  uint32_t read = 0;
  size_t i = 0;
  while (i < count && way_ != Way::kNone) {
    if (way_ == Way::kCall) {
      const long result = Call(SYS_process_vm_readv, thread_, Word(to + i),
                               static_cast<long>(count - i), Word(from + i),
                               static_cast<long>(count - i), 0);
      if (result < 0 && !IsAboutAddress(result)) {
        LoseWay(result);
        continue;
      }
      // It stops at the first that cannot be read.
      size_t left = result < 0 ? 0 : static_cast<size_t>(result);
      for (; i < count && left >= from[i].size; ++i) {
        left -= from[i].size;
        read |= uint32_t{1} << i;
      }
      ++i;
    } else {
      file_.OpenAs("/proc/thread-self/mem");
      if (!file_.is_open()) {
        LoseWay(file_.descriptor());
        continue;
      }
      // No place in a file, which would be an error of its own.
      if (Word(from[i].address) < 0) {
        ++i;
        continue;
      }
      const long result =
          Call(SYS_pread64, file_.descriptor(), Word(to[i].address),
               static_cast<long>(from[i].size), Word(from[i].address));
      if (result < 0 && !IsAboutAddress(result)) {
        LoseWay(result);
        continue;
      }
      if (result == static_cast<long>(from[i].size)) read |= uint32_t{1} << i;
      ++i;
    }
  }
  return read;
}

bool Memory::Copy(uintptr_t from, void* to, size_t size) {
  const Stretch source = {reinterpret_cast<void*>(from), size};
  const Stretch target = {to, size};
  return size == 0 || CopyAll(&source, &target, 1) != 0;
}

}  // namespace alcove::registry
