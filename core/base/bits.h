// Arithmetic on bits, sizes and addresses.
#ifndef ALCOVE_CORE_BASE_BITS_H_
#define ALCOVE_CORE_BASE_BITS_H_

#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {

constexpr bool IsPowerOfTwo(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

// `alignment` is a power of two and the result does not overflow.
constexpr size_t RoundUp(size_t n, size_t alignment) {
  return (n + alignment - 1) & ~(alignment - 1);
}
// The same for any alignment but 0.
constexpr size_t RoundUpToAny(size_t n, size_t alignment) {
  if (IsPowerOfTwo(alignment)) return RoundUp(n, alignment);
  return (n + alignment - 1) / alignment * alignment;
}
constexpr size_t RoundDown(size_t n, size_t alignment) {
  return n & ~(alignment - 1);
}

// The index of the lowest or highest set bit; `word` is not 0.
constexpr unsigned LowestBit(uint64_t word) {
  return static_cast<unsigned>(__builtin_ctzll(word));
}
constexpr unsigned HighestBit(uint64_t word) {
  return 63u - static_cast<unsigned>(__builtin_clzll(word));
}

// By arithmetic, because without -mpopcnt the builtin calls the compiler's
// runtime library.
constexpr unsigned CountBits(uint64_t word) {
  word = word - ((word >> 1) & 0x5555555555555555u);
  word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return static_cast<unsigned>((word * 0x0101010101010101u) >> 56);
}

// `count` ones from bit `first` on; count >= 1, first + count <= 64.
constexpr uint64_t BitRange(unsigned first, unsigned count) {
  return (~uint64_t{0} >> (64 - count)) << first;
}

// Where in a page an object of ours begins, in bytes: a number below
// kColoursMax cache lines that depends on the page. If all began at the same
// place, those of many instances would share the few sets of the cache that the
// place belongs to. (The multiplier is 2^64 over the golden ratio: multiples of
// anything spread evenly under it.)
inline constexpr size_t kColoursMax = 16;
inline constexpr size_t kCacheLine = 64;
constexpr size_t ColourOf(uintptr_t page) {
  constexpr unsigned kPageShift = 12;
  const uint64_t hash = (page >> kPageShift) * 0x9e3779b97f4a7c15ull;
  return (hash >> 60) % kColoursMax * kCacheLine;
}

constexpr size_t Min(size_t a, size_t b) { return a < b ? a : b; }
constexpr size_t Max(size_t a, size_t b) { return a > b ? a : b; }

inline uintptr_t AddressOf(const void* p) {
  return reinterpret_cast<uintptr_t>(p);
}

#define ALCOVE_LIKELY(x) (__builtin_expect(!!(x), 1))
#define ALCOVE_UNLIKELY(x) (__builtin_expect(!!(x), 0))
#define ALCOVE_INLINE inline __attribute__((always_inline))
#define ALCOVE_NOINLINE __attribute__((noinline))
#define ALCOVE_COLD __attribute__((noinline, cold))

// On the declaration of a variable: it is in this object, so no indirection is
// needed.
#define ALCOVE_HIDDEN __attribute__((visibility("hidden")))

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_BASE_BITS_H_
