// {NAME}.h: an Alcove instance with the prefix `{PREFIX}`, version {VERSION}.
// Written by alcove_instance({LABEL}); do not edit.
//
// Every function may be called by any thread at any time unless it says otherwise, and
// none of them touches any other allocator of the process. None may be called from a
// signal handler. A pointer that is not this instance's, a block freed twice or a wrong
// size, wherever it is noticed, stops the process (SIGABRT) after one line on standard
// error that names the instance, the misuse and the address.
#ifndef ALCOVE_INSTANCE_{PREFIX}H_
#define ALCOVE_INSTANCE_{PREFIX}H_

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
#define ALCOVE_{PREFIX}NOEXCEPT noexcept
extern "C" {
#else
#define ALCOVE_{PREFIX}NOEXCEPT
#endif

// ---- The malloc family -------------------------------------------------------------
// As in C23 and POSIX. Sizes are bytes. Blocks of 16 bytes or more are aligned to 16,
// smaller ones to 8. A size of 0 gives a block of its own, to be freed like any other.
// Failure (no memory, or a size or product beyond PTRDIFF_MAX) gives null, and sets
// errno to ENOMEM only where the knob `set_errno` is on.

void* {PREFIX}malloc(size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// Null is allowed and does nothing. errno is left as it is.
void {PREFIX}free(void* block) ALCOVE_{PREFIX}NOEXCEPT;

// Zeroed memory for `count` objects of `size` bytes; fresh memory is not cleared twice.
void* {PREFIX}calloc(size_t count, size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// Keeps the contents up to the smaller size. On failure the old block stays as it is.
// A null block means malloc(size); a size of 0 frees the block and gives null.
void* {PREFIX}realloc(void* block, size_t size) ALCOVE_{PREFIX}NOEXCEPT;
void* {PREFIX}reallocarray(void* block, size_t count, size_t size)
    ALCOVE_{PREFIX}NOEXCEPT;

// `alignment` must be a power of two, at most 1 GiB; else null (errno EINVAL where
// `set_errno` is on). The size need not be a multiple of the alignment.
void* {PREFIX}aligned_alloc(size_t alignment, size_t size) ALCOVE_{PREFIX}NOEXCEPT;
void* {PREFIX}memalign(size_t alignment, size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// Returns 0, EINVAL (alignment not a power of two, or below sizeof(void*)) or ENOMEM.
// *block changes only on success; errno never does.
int {PREFIX}posix_memalign(void** block, size_t alignment, size_t size)
    ALCOVE_{PREFIX}NOEXCEPT;

// The bytes of a live block that may be used, at least those asked for; 0 for null.
size_t {PREFIX}malloc_usable_size(const void* block) ALCOVE_{PREFIX}NOEXCEPT;

// C23: as free(block), with the size (and alignment) that the block was allocated with.
// A size that the block cannot have had is misuse.
void {PREFIX}free_sized(void* block, size_t size) ALCOVE_{PREFIX}NOEXCEPT;
void {PREFIX}free_aligned_sized(void* block, size_t alignment, size_t size)
    ALCOVE_{PREFIX}NOEXCEPT;

// ---- Beyond malloc -----------------------------------------------------------------

// 1 if the address lies in a live span of this instance (in a block, live or free, or in
// the tail of a span), else 0. Any address may be asked about; it is not dereferenced.
int {PREFIX}owns(const void* address) ALCOVE_{PREFIX}NOEXCEPT;

// The usable size that malloc(size) would give; 0 if no such block can exist.
size_t {PREFIX}malloc_good_size(size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// ---- Life --------------------------------------------------------------------------

// Returns all memory that no block and no living thread's cache holds to the system at
// once; of what the calling thread caches, that of large blocks, too. Returns the bytes
// given back.
size_t {PREFIX}purge(void) ALCOVE_{PREFIX}NOEXCEPT;

// Hands the calling thread's cache back to the instance. Optional: for threads that
// live on but are done with the instance. The thread may use it again later.
void {PREFIX}thread_detach(void) ALCOVE_{PREFIX}NOEXCEPT;

// Unmaps everything that the instance ever mapped; its blocks, live or not, are gone.
// Returns 0; or EBUSY, with nothing changed, if another living thread still holds a cache
// (it has to end, or to call thread_detach, first). No other thread may call the instance
// meanwhile. Afterwards the instance is as at the start of the process, and usable. With
// the knob background_purge it also ends the instance's own thread.
int {PREFIX}shutdown(void) ALCOVE_{PREFIX}NOEXCEPT;

// "{VERSION}", the version of the core; a static string.
const char* {PREFIX}version(void) ALCOVE_{PREFIX}NOEXCEPT;

// Every knob and its value as one JSON object; a static string.
const char* {PREFIX}config(void) ALCOVE_{PREFIX}NOEXCEPT;

// A snapshot. `blocks_live` and `bytes_live` count what the program holds: exact while no
// thread is inside a call, else approximate. The peaks are of what was taken from the
// spans, thread caches included, and may miss up to 64 KiB for each thread.
typedef struct {PREFIX}stats_t {
  size_t struct_size;      // in: sizeof(*this); fields beyond it are left alone
  size_t blocks_live;      // blocks that were allocated and not freed
  size_t bytes_live;       // their usable bytes
  size_t blocks_peak;      // largest blocks_live seen, cached blocks included
  size_t bytes_peak;       // largest bytes_live seen, cached blocks included
  size_t bytes_cached;     // free blocks in thread caches
  size_t bytes_spans;      // address space in spans that are handed out
  size_t bytes_spans_peak; // largest bytes_spans seen
  size_t bytes_dirty;      // unused units whose memory was not yet returned
  size_t bytes_committed;  // reserved address space made accessible so far
  size_t bytes_reserved;   // address space reserved for blocks
  size_t bytes_metadata;   // address space reserved for the allocator's own data
  size_t threads;          // heaps in use by a thread, a dead one not yet noticed included
  uintptr_t address_low;   // the lowest and one past the highest address that a block
  uintptr_t address_high;  //   of this instance can have; both 0 before the first
} {PREFIX}stats_t;

// Fills *stats up to stats->struct_size bytes. Returns 0, or EINVAL for null or for a
// struct_size too small to hold struct_size itself.
int {PREFIX}stats({PREFIX}stats_t* stats) ALCOVE_{PREFIX}NOEXCEPT;

#if defined(__cplusplus)
}  // extern "C"
#endif

// The C++ part, wherever there is a C++ library (a freestanding program has none).
#if defined(__cplusplus) && __STDC_HOSTED__ && !defined(ALCOVE_BUILDING_CORE)
#include <cstddef>
#include <limits>
#include <memory_resource>
#include <new>
#include <type_traits>

namespace {NAMESPACE} {

// A stateless standard allocator on this instance; all of its copies are equal. Throws
// std::bad_alloc (std::bad_array_new_length on overflow) as the standard asks; built with
// -fno-exceptions it stops the process instead.
template <typename T>
class allocator {
 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using propagate_on_container_move_assignment = std::true_type;
  using is_always_equal = std::true_type;

  constexpr allocator() noexcept = default;
  template <typename U>
  constexpr allocator(const allocator<U>&) noexcept {}  // NOLINT: converts, as the standard asks

  [[nodiscard]] T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) Throw<std::bad_array_new_length>();
    void* block;
    if constexpr (alignof(T) > 16) {
      block = {PREFIX}aligned_alloc(alignof(T), n * sizeof(T));
    } else if constexpr (alignof(T) > 8) {
      // Blocks of less than 16 bytes are aligned to 8 only.
      block = {PREFIX}malloc(n * sizeof(T) < 16 ? 16 : n * sizeof(T));
    } else {
      block = {PREFIX}malloc(n * sizeof(T));
    }
    if (block == nullptr) Throw<std::bad_alloc>();
    return static_cast<T*>(block);
  }

  void deallocate(T* block, std::size_t) noexcept { {PREFIX}free(block); }

  template <typename U>
  friend constexpr bool operator==(const allocator&, const allocator<U>&) noexcept {
    return true;
  }

 private:
  template <typename E>
  [[noreturn]] static void Throw() {
#if defined(__cpp_exceptions)
    throw E();
#else
    __builtin_trap();
#endif
  }
};

// The instance as a polymorphic memory resource. All objects of this class are equal; use
// resource() unless one of your own is needed.
class memory_resource final : public std::pmr::memory_resource {
 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    // malloc aligns to 16 from 16 bytes on, and to 8 below.
    void* block = alignment <= 8 || (alignment <= 16 && bytes >= 16)
                      ? {PREFIX}malloc(bytes)
                      : {PREFIX}aligned_alloc(alignment, bytes);
#if defined(__cpp_exceptions)
    if (block == nullptr) throw std::bad_alloc();
#else
    if (block == nullptr) __builtin_trap();
#endif
    return block;
  }
  void do_deallocate(void* block, std::size_t, std::size_t) override { {PREFIX}free(block); }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
#if defined(__cpp_rtti)
    return dynamic_cast<const memory_resource*>(&other) != nullptr;
#else
    return this == &other;
#endif
  }
};

// The one resource most programs need; never destroyed, so that it may be used at exit.
inline memory_resource* resource() noexcept {
  static union Holder {
    Holder() : value() {}
    ~Holder() {}
    memory_resource value;
  } holder;
  return &holder.value;
}

}  // namespace {NAMESPACE}
#endif

#undef ALCOVE_{PREFIX}NOEXCEPT
#endif  // ALCOVE_INSTANCE_{PREFIX}H_
