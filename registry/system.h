// System calls, without libc: in a signal handler not even the loader may be
// asked where a function is, and errno stays as it is.
#ifndef ALCOVE_REGISTRY_SYSTEM_H_
#define ALCOVE_REGISTRY_SYSTEM_H_

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

namespace alcove::registry {

// The result, or a negated error number.
inline long Call(long number, long a = 0, long b = 0, long c = 0, long d = 0,
                 long e = 0, long f = 0) {
#if defined(__x86_64__)
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#else
#error "Write the system call of this CPU here; the rest knows none."
#endif
}

inline long Word(const void* pointer) {
  return static_cast<long>(reinterpret_cast<uintptr_t>(pointer));
}

inline constexpr long kErrPerm = 1;
inline constexpr long kErrNoEntry = 2;
inline constexpr long kErrNoProcess = 3;
inline constexpr long kErrInterrupted = 4;
inline constexpr long kErrIo = 5;
inline constexpr long kErrFault = 14;

// A file that is open for reading while the object lives.
class File {
 public:
  // Opens nothing.
  File() = default;
  explicit File(const char* path) : descriptor_(Open(path)) {}
  ~File() {
    if (is_open()) Call(SYS_close, descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void OpenAs(const char* path) {
    if (!is_open()) descriptor_ = Open(path);
  }

  bool is_open() const { return descriptor_ >= 0; }
  // A negated error number if it is not open.
  long descriptor() const { return descriptor_; }

 private:
  static long Open(const char* path) {
    constexpr long kAtCurrentDirectory = -100;
    constexpr long kReadOnlyCloseOnExec = 02000000;
    return Call(SYS_openat, kAtCurrentDirectory, Word(path),
                kReadOnlyCloseOnExec);
  }

  long descriptor_ = -kErrNoEntry;
};

}  // namespace alcove::registry

#endif  // ALCOVE_REGISTRY_SYSTEM_H_
