// What glibc has beyond the malloc family of an instance: whole pages.
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace {

size_t PageSize() {
  // A system call only with very old kernels; libc has the answer in memory.
  static_assert(sizeof(long) == sizeof(size_t));
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

extern "C" void* valloc(size_t size) noexcept {
  return memalign(PageSize(), size);
}

extern "C" void* pvalloc(size_t size) noexcept {
  const size_t page = PageSize();
  size_t rounded;
  if (__builtin_add_overflow(size, page - 1, &rounded)) {
    errno = ENOMEM;
    return nullptr;
  }
  return memalign(page, rounded & ~(page - 1));
}
