// glibc's own ways to ask for an alignment, on C's.
#include <malloc.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace {

// std::bit_ceil is undefined beyond it.
constexpr size_t kLargestPower = ~(~size_t{0} >> 1);

size_t PageSize() {
  // A system call only with very old kernels; libc has the answer in memory.
  static_assert(sizeof(long) == sizeof(size_t));
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

// As glibc does without a word in its manual, it takes what is no power of two
// for the next one, and 0 for none. What is invalid to C's aligned_alloc and to
// POSIX stays so there.
extern "C" void* memalign(size_t alignment, size_t size) noexcept {
  if (alignment > kLargestPower) {
    errno = EINVAL;
    return nullptr;
  }
  return aligned_alloc(std::bit_ceil(alignment), size);
}

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

// glibc exports these as well; see names.txt.
extern "C" void* __libc_memalign(size_t alignment, size_t size) noexcept {
  return memalign(alignment, size);
}
extern "C" void* __libc_valloc(size_t size) noexcept { return valloc(size); }
extern "C" void* __libc_pvalloc(size_t size) noexcept { return pvalloc(size); }
