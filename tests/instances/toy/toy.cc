// A core with everything that makes stamping hard: state in an inline variable,
// in a template's static and in TLS, and calls that the compiler makes on its
// own.
#include "alcove_config.h"
#define ALCOVE_BUILDING_CORE
#include ALCOVE_PUBLIC_HEADER

namespace ALCOVE_CORE_NAMESPACE {

inline int calls;

template <typename T>
struct Holder {
  static inline T value;
};

constinit thread_local void* last = nullptr;

__attribute__((noinline)) inline int Bump() {
  Holder<int>::value = ++calls;
  last = &calls;
  return Holder<int>::value;
}

}  // namespace ALCOVE_CORE_NAMESPACE

#define TOY_JOIN_(a, b) a##b
#define TOY_JOIN(a, b) TOY_JOIN_(a, b)
#define TOY(name) TOY_JOIN(ALCOVE_PREFIX, name)
#define TOY_EXPORT __attribute__((visibility("protected")))

extern "C" {

TOY_EXPORT int TOY(count)(void) { return ALCOVE_CORE_NAMESPACE::Bump(); }

TOY_EXPORT const char* TOY(config)(void) { return ALCOVE_CONFIG_JSON; }

TOY_EXPORT int TOY(copy)(void* to, const void* from, size_t size) {
  __builtin_memcpy(to, from, size);
  return ALCOVE_KNOB_depth;
}
}
