// What compilers call on their own.
#include <stddef.h>

#define TOY_HIDDEN __attribute__((visibility("hidden")))

extern "C" {

TOY_HIDDEN void* memcpy(void* to, const void* from, size_t size) {
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  for (size_t i = 0; i < size; ++i) out[i] = in[i];
  return to;
}

TOY_HIDDEN void* memmove(void* to, const void* from, size_t size) {
  return memcpy(to, from, size);
}

TOY_HIDDEN void* memset(void* to, int byte, size_t size) {
  auto* out = static_cast<char*>(to);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(byte);
  return to;
}

TOY_HIDDEN int memcmp(const void*, const void*, size_t) { return 0; }
}
