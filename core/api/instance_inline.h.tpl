// {NAME}_inline.h: the inlined fast paths of the Alcove instance with the prefix
// `{PREFIX}`, version {VERSION}. Written by alcove_instance({LABEL}); do not edit.
//
// For C++20, in place of {NAME}.h, which it includes. Everything is in namespace
// {NAMESPACE}::inlined. Where size and alignment are known to the compiler, allocating takes
// the newest block out of the calling thread's cache, and freeing puts it back, in a few
// instructions at the call site and without a call; whatever the cache cannot do ends in
// {PREFIX}malloc and {PREFIX}free_sized. The blocks are the same: one from here may be freed
// there, and the other way round.
//
// Types of this header are not those of {NAME}.h, so that files that include one and files
// that include the other go together in a program. What is inlined knows this release's
// layout: code that includes this header is to be compiled anew with the instance, also where
// that is in a shared library. (Where the layouts differ, it does not link.)
//
// With the knobs `check_invariants`, `zero_on_free`, `canaries`, `random_placement`,
// `reuse_delay` or `backtrace_frames`, or `tls` other than initial_exec, under ThreadSanitizer, for more than 1024 bytes and for alignments beyond 16, all are calls.
#ifndef ALCOVE_INSTANCE_{PREFIX}INLINE_H_
#define ALCOVE_INSTANCE_{PREFIX}INLINE_H_

#if !defined(__cplusplus) || __cplusplus < 202002L
#error "{NAME}_inline.h needs C++20; {NAME}.h has the same functions for C and older C++"
#endif

#include "{NAME}.h"

namespace {NAMESPACE}::inlined::internal {

// What is inlined knows of the instance: where things are, in bytes, and how sizes are
// classed. core/api/inline_layout.cc compares every line with the core's own types.
struct Layout {
  // Whether every operation is to be checked, which only calls do.
  static constexpr bool kChecked = {KNOB_check_invariants} || {KNOB_zero_on_free} ||
                                   {KNOB_canaries} || {KNOB_random_placement} ||
                                   {KNOB_reuse_delay} != 0 || {KNOB_backtrace_frames} != 0;
  static constexpr bool kAsyncSignalSafe = {KNOB_async_signal_safe};

  // Sizes up to this one are inlined.
  static constexpr size_t kLargest = 1024;

  // In a heap: the view of the first range, and the bins of all classes.
  static constexpr size_t kRangeLast = 0;
  static constexpr size_t kRangeUnits = 8;
  static constexpr size_t kClassMap = 16;
  static constexpr size_t kBins = 1216;

  // In a bin.
  static constexpr size_t kTop = 0;
  static constexpr size_t kLimit = 8;
  static constexpr size_t kBottom = 16;
  static constexpr size_t kOwnEntry = 56;
  static constexpr size_t kBinSize = 64;

  // In a heap: the slots with the thread's arena heaps, by the lowest bits of a handle.
  static constexpr size_t kArenaSlots = 6976;
  static constexpr size_t kArenaSlotCount = 16;

  // In an arena heap: whose it is, if blocks come from slabs or from a run; the run; and the
  // bins of the classes.
  static constexpr size_t kSlabHandle = 24;
  static constexpr size_t kRunHandle = 32;
  static constexpr size_t kRunLimit = 40;
  static constexpr size_t kRunNext = 48;
  static constexpr size_t kRunBegun = 56;
  static constexpr size_t kRunIndex = 64;
  static constexpr size_t kRunMarks = 72;
  static constexpr size_t kRunMask = 80;
  static constexpr size_t kArenaBins = 256;

  // In a bin of an arena heap.
  static constexpr size_t kNext = 0;
  static constexpr size_t kEnd = 8;
  static constexpr size_t kBlockSize = 56;

  // Blocks of a run begin at multiples of this.
  static constexpr size_t kRunGranule = 16;

  // In the class map: an entry for each unit, whose lower bits are its class times the size
  // of a bin.
  static constexpr unsigned kUnitShift = 16;
  static constexpr uint32_t kClassMask = 0xffff;

  // The class of 1 to kLargest bytes.
  static constexpr size_t ClassOf(size_t size) {
    if (size <= 8) return 1;
    if (size <= 64) return 1 + (size + 15) / 16;
    const size_t log = 63 - static_cast<size_t>(__builtin_clzll(size - 1));
    return 6 + (log - 6) * 4 + ((size - 1) >> (log - 2)) % 4;
  }
};

}  // namespace {NAMESPACE}::inlined::internal

#if !defined(ALCOVE_BUILDING_CORE)

// Whether a thread's cache is found by reading a variable.
#define ALCOVE_{PREFIX}TLS_initial_exec 1
#define ALCOVE_{PREFIX}READS_TLS ALCOVE_{PREFIX}TLS_{KNOB_tls}

#if ALCOVE_{PREFIX}READS_TLS
// The address of the calling thread's cache. The number is that of the layout.
extern "C" {
extern constinit thread_local uintptr_t {PREFIX}thread_heap_v1
    __attribute__((tls_model("initial-exec")));
}
#endif

// ThreadSanitizer would see the inlined accesses to a cache, but not how the instance, which
// is not instrumented, passes it from one thread to the next.
#if defined(__SANITIZE_THREAD__)
#define ALCOVE_{PREFIX}CALLS true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ALCOVE_{PREFIX}CALLS true
#endif
#endif
#if !defined(ALCOVE_{PREFIX}CALLS)
#define ALCOVE_{PREFIX}CALLS false
#endif

#define ALCOVE_{PREFIX}INLINE [[gnu::always_inline]] inline

namespace {NAMESPACE}::inlined {

namespace internal {

#if ALCOVE_{PREFIX}READS_TLS
inline constexpr bool kCalls =
    Layout::kChecked || Layout::kAsyncSignalSafe || ALCOVE_{PREFIX}CALLS;
ALCOVE_{PREFIX}INLINE uintptr_t ThreadHeap() { return {PREFIX}thread_heap_v1; }
#else
inline constexpr bool kCalls = true;
ALCOVE_{PREFIX}INLINE uintptr_t ThreadHeap() { return 0; }  // never called
#endif

// Which size to ask malloc for to get this size and alignment; 0 is none of a class, and
// blocks of less than 16 bytes are aligned to 8 only.
constexpr size_t BytesFor(size_t size, size_t alignment) {
  if (alignment > 8 && size < 16) return 16;
  return size == 0 ? 1 : size;
}

constexpr bool IsInlined(size_t size, size_t alignment) {
  return !kCalls && alignment <= 16 && size <= Layout::kLargest;
}

// Where the bin for so many bytes is in a heap.
constexpr size_t BinFor(size_t bytes) {
  return Layout::kBins + Layout::ClassOf(bytes) * Layout::kBinSize;
}

template <typename T>
ALCOVE_{PREFIX}INLINE T& At(uintptr_t heap, size_t offset) {
  return *reinterpret_cast<T*>(heap + offset);
}

// The store is one instruction, for statistics look on from other threads.
ALCOVE_{PREFIX}INLINE void SetTop(uintptr_t heap, size_t bin, void** top) {
  At<void** volatile>(heap, bin + Layout::kTop) = top;
}

// Whoever takes the heap over from a thread that was stopped for good between the two stores
// must not find a top above a slot that was not written.
ALCOVE_{PREFIX}INLINE void StoredBefore(void*& slot, void**& top) {
  __asm__ volatile("" : "+m"(slot), "+m"(top));
}

// A block, or null if the bin's array is empty.
ALCOVE_{PREFIX}INLINE void* Pop(size_t bin) {
  const uintptr_t heap = ThreadHeap();
  void** const top = At<void**>(heap, bin + Layout::kTop);
  if (top == At<void**>(heap, bin + Layout::kBottom)) [[unlikely]] return nullptr;
  void* const block = top[-1];
  SetTop(heap, bin, top - 1);
  // Or the caller's test for null would be made again.
  if (block == nullptr) __builtin_unreachable();
  return block;
}

// False if the bin is full, as it is when the thread has no heap yet.
ALCOVE_{PREFIX}INLINE bool Push(uintptr_t heap, size_t bin, void* block) {
  void** const top = At<void**>(heap, bin + Layout::kTop);
  if (top == At<void**>(heap, bin + Layout::kLimit)) [[unlikely]] return false;
  *top = block;
  StoredBefore(*top, At<void**>(heap, bin + Layout::kTop));
  SetTop(heap, bin, top + 1);
  return true;
}

ALCOVE_{PREFIX}INLINE void Free(size_t bin, size_t bytes, void* block) {
  const uintptr_t heap = ThreadHeap();
  const size_t slot = (At<uintptr_t>(heap, Layout::kRangeLast) -
                       reinterpret_cast<uintptr_t>(block)) >> Layout::kUnitShift;
  if (slot < At<size_t>(heap, Layout::kRangeUnits)) [[likely]] {
    const uint32_t entry =
        __atomic_load_n(At<const uint32_t*>(heap, Layout::kClassMap) + slot, __ATOMIC_RELAXED);
    if (entry == At<uint32_t>(heap, bin + Layout::kOwnEntry)) [[likely]] {
      // As Push, but the top is moved in memory, since it was read as volatile: an instruction
      // less in the same time. (FreeTrusted, which has no other work, would take longer.)
      void** const top = At<void** volatile>(heap, bin + Layout::kTop);
      if (top != At<void**>(heap, bin + Layout::kLimit)) [[likely]] {
        *top = block;
        StoredBefore(*top, At<void**>(heap, bin + Layout::kTop));
        At<void**>(heap, bin + Layout::kTop) += 1;
        return;
      }
    }
    // The class is right, so another thread's slab or a full bin: no need to look again.
    if ((entry & Layout::kClassMask) == bin - Layout::kBins) return {PREFIX}free(block);
  }
  {PREFIX}free_sized(block, bytes);
}

ALCOVE_{PREFIX}INLINE void FreeTrusted(size_t bin, void* block) {
  if (!Push(ThreadHeap(), bin, block)) [[unlikely]] {PREFIX}free(block);
}

// A block of 1 to kLargest bytes of an arena, or null where that takes more than a few
// instructions: a fresh one of its class, or the next one of the run. As in Pop, what others
// look at is stored whole.
ALCOVE_{PREFIX}INLINE void* PopOfArena(const {PREFIX}arena* arena, size_t bytes) {
  const auto handle = reinterpret_cast<uintptr_t>(arena);
  const auto heap = At<const uintptr_t>(
      ThreadHeap(),
      Layout::kArenaSlots + handle % Layout::kArenaSlotCount * sizeof(uintptr_t));
  if (heap == 0) [[unlikely]] return nullptr;
  if (__atomic_load_n(&At<uintptr_t>(heap, Layout::kSlabHandle), __ATOMIC_RELAXED) == handle) {
    const size_t bin = Layout::kArenaBins + Layout::ClassOf(bytes) * Layout::kBinSize;
    char* const next = At<char*>(heap, bin + Layout::kNext);
    if (next == At<char*>(heap, bin + Layout::kEnd)) [[unlikely]] return nullptr;
    At<char* volatile>(heap, bin + Layout::kNext) = next + At<uint32_t>(heap, bin + Layout::kBlockSize);
    if (next == nullptr) __builtin_unreachable();
    return next;
  }
  if (__atomic_load_n(&At<uintptr_t>(heap, Layout::kRunHandle), __ATOMIC_RELAXED) != handle)
    return nullptr;
  char* const next = At<char*>(heap, Layout::kRunNext);
  if (static_cast<size_t>(At<char*>(heap, Layout::kRunLimit) - next) < bytes) [[unlikely]]
    return nullptr;
  const size_t granule = reinterpret_cast<uintptr_t>(next) / Layout::kRunGranule;
  const size_t index = granule / 64;
  uint64_t& marks = At<uint64_t>(heap, Layout::kRunMarks);
  size_t& last = At<size_t>(heap, Layout::kRunIndex);
  const uint64_t same = uint64_t{0} - uint64_t{index == last};
  const uint64_t now = (marks & same) | uint64_t{1} << (granule % 64);
  last = index;
  marks = now;
  __atomic_store_n(&At<uint64_t>(At<uintptr_t>(heap, Layout::kRunBegun), index * sizeof(now)),
                   now, __ATOMIC_RELAXED);
  // Whoever sees the new end sees the mark.
  __atomic_store_n(&At<char*>(heap, Layout::kRunNext),
                   next + ((bytes - 1) | At<size_t>(heap, Layout::kRunMask)) + 1,
                   __ATOMIC_RELEASE);
  if (next == nullptr) __builtin_unreachable();
  return next;
}

template <typename T>
struct Identity {
  using type = T;
};

}  // namespace internal

// ---- Constant sizes ----------------------------------------------------------------

// As {PREFIX}aligned_alloc(Alignment, Size): a block, or null if there is no memory. By
// default the alignment is malloc's.
template <size_t Size, size_t Alignment = (Size < 16 ? 8 : 16)>
[[nodiscard]] ALCOVE_{PREFIX}INLINE void* allocate() noexcept {
  static_assert(Alignment != 0 && (Alignment & (Alignment - 1)) == 0);
  constexpr size_t bytes = internal::BytesFor(Size, Alignment);
  if constexpr (internal::IsInlined(Size, Alignment)) {
    constexpr size_t bin = internal::BinFor(bytes);
    if (void* const block = internal::Pop(bin)) [[likely]] return block;
  }
  if constexpr (Alignment > 16) {
    return {PREFIX}aligned_alloc(Alignment, Size);
  } else {
    return {PREFIX}malloc(bytes);
  }
}

// As {PREFIX}free_aligned_sized(block, Alignment, Size): a block that cannot be of that size
// stops the process, and so does what is no block. Null does nothing.
template <size_t Size, size_t Alignment = (Size < 16 ? 8 : 16)>
ALCOVE_{PREFIX}INLINE void deallocate(void* block) noexcept {
  static_assert(Alignment != 0 && (Alignment & (Alignment - 1)) == 0);
  constexpr size_t bytes = internal::BytesFor(Size, Alignment);
  if constexpr (internal::IsInlined(Size, Alignment)) {
    constexpr size_t bin = internal::BinFor(bytes);
    internal::Free(bin, bytes, block);
  } else if constexpr (Alignment > 16) {
    {PREFIX}free_aligned_sized(block, Alignment, Size);
  } else {
    {PREFIX}free_sized(block, bytes);
  }
}

// The same for a block of which the caller knows that this instance allocated it with this
// very size and alignment (and did not resize it since), that it is of no arena, live and not
// null. It is
// not looked up, so a mistake is noticed late, when the cache gives the block back, or never,
// and two users may have been given the same memory meanwhile. Any thread's block will do.
template <size_t Size, size_t Alignment = (Size < 16 ? 8 : 16)>
ALCOVE_{PREFIX}INLINE void deallocate_trusted(void* block) noexcept {
  if constexpr (internal::IsInlined(Size, Alignment)) {
    constexpr size_t bin = internal::BinFor(internal::BytesFor(Size, Alignment));
    internal::FreeTrusted(bin, block);
  } else {
    deallocate<Size, Alignment>(block);
  }
}

// ---- Types -------------------------------------------------------------------------

// The same for an object of type T, named by the caller: allocate<Node>(),
// deallocate<Node>(node). Neither constructs nor destroys. The type is that of the
// allocation, not a base of it.
template <typename T>
[[nodiscard]] ALCOVE_{PREFIX}INLINE T* allocate() noexcept {
  return static_cast<T*>(allocate<sizeof(T), alignof(T)>());
}
template <typename T>
ALCOVE_{PREFIX}INLINE void deallocate(typename internal::Identity<T>::type* block) noexcept {
  deallocate<sizeof(T), alignof(T)>(
      const_cast<void*>(static_cast<const volatile void*>(block)));
}
template <typename T>
ALCOVE_{PREFIX}INLINE void deallocate_trusted(
    typename internal::Identity<T>::type* block) noexcept {
  deallocate_trusted<sizeof(T), alignof(T)>(
      const_cast<void*>(static_cast<const volatile void*>(block)));
}

// ---- Arenas ------------------------------------------------------------------------

// As {PREFIX}arena_aligned_alloc(arena, Alignment, Size), or for alignments up to malloc's,
// as {PREFIX}arena_malloc(arena, Size): a block of the arena, or null if there is no memory or
// the arena's quota does not allow it. Freed and resized as all blocks of arenas are, but not
// by deallocate_trusted.
template <size_t Size, size_t Alignment = (Size < 16 ? 8 : 16)>
[[nodiscard]] ALCOVE_{PREFIX}INLINE void* arena_allocate({PREFIX}arena* arena) noexcept {
  static_assert(Alignment != 0 && (Alignment & (Alignment - 1)) == 0);
  constexpr size_t bytes = internal::BytesFor(Size, Alignment);
  if constexpr (internal::IsInlined(Size, Alignment)) {
    if (void* const block = internal::PopOfArena(arena, bytes)) [[likely]] return block;
  }
  if constexpr (Alignment > 16) {
    return {PREFIX}arena_aligned_alloc(arena, Alignment, Size);
  } else {
    return {PREFIX}arena_malloc(arena, bytes);
  }
}

// As {PREFIX}arena_malloc, inlined for up to 1024 bytes also where the compiler does not know
// how many.
[[nodiscard]] ALCOVE_{PREFIX}INLINE void* arena_malloc({PREFIX}arena* arena,
                                                      size_t size) noexcept {
  // 0 wraps around.
  if (!internal::kCalls && size - 1 < internal::Layout::kLargest) [[likely]] {
    if (void* const block = internal::PopOfArena(arena, size)) [[likely]] return block;
  }
  return {PREFIX}arena_malloc(arena, size);
}

// The same for an object of type T, named by the caller: arena_allocate<Node>(arena).
template <typename T>
[[nodiscard]] ALCOVE_{PREFIX}INLINE T* arena_allocate({PREFIX}arena* arena) noexcept {
  return static_cast<T*>(arena_allocate<sizeof(T), alignof(T)>(arena));
}

}  // namespace {NAMESPACE}::inlined

// The rest, wherever there is a C++ library.
#if __STDC_HOSTED__
#include <memory>
#include <utility>

namespace {NAMESPACE}::inlined {

// {NAMESPACE}::allocator<T>, inlined where the compiler knows how many objects there are: one
// for each node of a list, a map or a set. The blocks of a vector are calls.
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

  [[nodiscard]] ALCOVE_{PREFIX}INLINE T* allocate(std::size_t n) {
    if (IsInlined(n)) {
      const std::size_t bin = internal::BinFor(internal::BytesFor(n * sizeof(T), alignof(T)));
      if (void* const block = internal::Pop(bin)) [[likely]] return static_cast<T*>(block);
    }
    return Called().allocate(n);
  }

  ALCOVE_{PREFIX}INLINE void deallocate(T* block, std::size_t n) noexcept {
    if (IsInlined(n)) {
      const std::size_t bytes = internal::BytesFor(n * sizeof(T), alignof(T));
      internal::Free(internal::BinFor(bytes), bytes, block);
    } else {
      Called().deallocate(block, n);
    }
  }

  template <typename U>
  friend constexpr bool operator==(const allocator&, const allocator<U>&) noexcept {
    return true;
  }

 private:
  using Called = {NAMESPACE}::allocator<T>;

  ALCOVE_{PREFIX}INLINE static bool IsInlined(std::size_t n) {
    return __builtin_constant_p(n) && n <= internal::Layout::kLargest / sizeof(T) &&
           internal::IsInlined(n * sizeof(T), alignof(T));
  }
};

// Destroys an object that make() made, and frees its block. Of that very type: there is no
// conversion from a derived class's deleter, whose blocks are of another size.
template <typename T>
struct deleter {
  void operator()(T* object) const noexcept {
    std::destroy_at(object);
    deallocate<T>(object);
  }
};

template <typename T>
using unique_ptr = std::unique_ptr<T, deleter<T>>;

// As std::make_unique<T>, of one object, on this instance.
template <typename T, typename... Args>
[[nodiscard]] unique_ptr<T> make(Args&&... args) {
  static_assert(!std::is_array_v<T>, "use a container with allocator<T>");
  // Frees the block if the constructor throws.
  struct Block {
    ~Block() { if (block != nullptr) inlined::deallocate<T>(block); }
    T* block;
  } owner{allocator<T>().allocate(1)};
  T* const object = ::new (const_cast<void*>(static_cast<const volatile void*>(owner.block)))
      T(std::forward<Args>(args)...);
  owner.block = nullptr;
  return unique_ptr<T>(object);
}

}  // namespace {NAMESPACE}::inlined
#endif  // __STDC_HOSTED__

#undef ALCOVE_{PREFIX}CALLS
#undef ALCOVE_{PREFIX}READS_TLS
#undef ALCOVE_{PREFIX}TLS_initial_exec
#undef ALCOVE_{PREFIX}INLINE
#endif  // ALCOVE_BUILDING_CORE
#endif  // ALCOVE_INSTANCE_{PREFIX}INLINE_H_
