// Pairs of an allocation and a free at a call site, for counting instructions.
#ifndef BENCH_CALLGRIND_INLINED_PAIRS_H_
#define BENCH_CALLGRIND_INLINED_PAIRS_H_

#include <array>
#include <cstddef>
#include <utility>

#include "bench/callgrind/pairs_heap_inline.h"

namespace bench {

enum class Pairs { kNothing, kChecked, kTrusted };

// That many times allocate and deallocate of an object of kSize bytes. Between
// the two the program may have touched any memory, as far as the compiler knows.
template <Pairs kPairs, size_t kSize>
[[gnu::noinline]] void RunPairs(size_t count) {
  namespace heap = ::pairs::inlined;
  struct Object {
    char bytes[kSize];
  };
  for (size_t i = 0; i < count; ++i) {
    if constexpr (kPairs == Pairs::kNothing) {
      asm volatile("" : : : "memory");
    } else {
      Object* object = heap::allocate<Object>();
      asm volatile("" : "+r"(object) : : "memory");
      if constexpr (kPairs == Pairs::kChecked) {
        heap::deallocate<Object>(object);
      } else {
        heap::deallocate_trusted<Object>(object);
      }
    }
  }
}

using PairsFunction = void (*)(size_t count);

// Sizes are constants of the code: multiples of 16 up to this one.
inline constexpr size_t kPairsMax = 1024;

template <Pairs kPairs, size_t... kIndices>
PairsFunction PairsOfSize(size_t size, std::index_sequence<kIndices...>) {
  static constexpr std::array<PairsFunction, sizeof...(kIndices)> kFunctions = {
      RunPairs<kPairs, 16 * (kIndices + 1)>...};
  if (size == 0 || size % 16 != 0 || size > kPairsMax) return nullptr;
  return kFunctions[size / 16 - 1];
}

// Null if there is none of this size.
template <Pairs kPairs>
PairsFunction PairsOfSize(size_t size) {
  return PairsOfSize<kPairs>(size, std::make_index_sequence<kPairsMax / 16>());
}

// A heap with nothing else in it is what no program has.
inline void Populate(size_t size) {
  void* neighbours[8];
  for (void*& block : neighbours) block = pairs_malloc(size);
  pairs_free(neighbours[4]);
}

}  // namespace bench

#endif  // BENCH_CALLGRIND_INLINED_PAIRS_H_
