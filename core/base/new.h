// Placement new without the C++ library.
#ifndef ALCOVE_CORE_BASE_NEW_H_
#define ALCOVE_CORE_BASE_NEW_H_

#include <stddef.h>

#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {

struct PlaceTag {};

}  // namespace ALCOVE_CORE_NAMESPACE

// A form of its own: the standard one would clash with <new> in the tests.
inline void* operator new(size_t, void* place,
                          ALCOVE_CORE_NAMESPACE::PlaceTag) noexcept {
  return place;
}
inline void operator delete(void*, void*,
                            ALCOVE_CORE_NAMESPACE::PlaceTag) noexcept {}

namespace ALCOVE_CORE_NAMESPACE {

// Constructs a T in zeroed or unused memory.
template <typename T>
T* Construct(void* place) {
  return new (place, PlaceTag{}) T;
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_BASE_NEW_H_
