// Compilers know loops like these and turn them into calls of the very
// functions they are in; a fence that costs no instruction keeps them from
// recognizing them.
#include "core/base/mem.h"

#include "platform/platform.h"

namespace {

// Words that may lie anywhere and alias anything.
using Word [[gnu::may_alias, gnu::aligned(1)]] = unsigned long long;

// From here on the CPU's own string operations are faster than words: swept
// with realloc of 64 B to 1 MiB.
constexpr size_t kBulkFrom = 512;

inline void KeepLoop() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  if (size >= kBulkFrom) {
    ALCOVE_CORE_NAMESPACE::platform::CopyBulk(out, in, size);
    return to;
  }
  for (; size >= sizeof(Word);
       size -= sizeof(Word), out += sizeof(Word), in += sizeof(Word)) {
    *reinterpret_cast<Word*>(out) = *reinterpret_cast<const Word*>(in);
    KeepLoop();
  }
  for (; size > 0; --size) {
    *out++ = *in++;
    KeepLoop();
  }
  return to;
}

void* memmove(void* to, const void* from, size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  if (out <= in || out >= in + size) return memcpy(to, from, size);
  // It overlaps and goes up: from the end.
  while (size >= sizeof(Word)) {
    size -= sizeof(Word);
    *reinterpret_cast<Word*>(out + size) =
        *reinterpret_cast<const Word*>(in + size);
    KeepLoop();
  }
  while (size > 0) {
    --size;
    out[size] = in[size];
    KeepLoop();
  }
  return to;
}

void* memset(void* to, int byte, size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto value = static_cast<unsigned char>(byte);
  if (size >= kBulkFrom) {
    ALCOVE_CORE_NAMESPACE::platform::FillBulk(out, value, size);
    return to;
  }
  const Word word = value * 0x0101010101010101ull;
  for (; size >= sizeof(Word); size -= sizeof(Word), out += sizeof(Word)) {
    *reinterpret_cast<Word*>(out) = word;
    KeepLoop();
  }
  for (; size > 0; --size) {
    *out++ = value;
    KeepLoop();
  }
  return to;
}

int memcmp(const void* a, const void* b, size_t size) {
  const auto* left = static_cast<const unsigned char*>(a);
  const auto* right = static_cast<const unsigned char*>(b);
  for (; size > 0; --size, ++left, ++right) {
    if (*left != *right) return *left < *right ? -1 : 1;
  }
  return 0;
}

}  // extern "C"
