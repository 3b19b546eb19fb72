// Compilers know loops like these and turn them into calls of the very
// functions they are in; a fence that costs no instruction keeps them from
// recognizing them.
#include "core/base/mem.h"

#include "platform/platform.h"

namespace {

// Values that may lie anywhere and alias anything.
template <typename T>
struct Loose {
  typedef T Value [[gnu::may_alias, gnu::aligned(1)]];
};
typedef unsigned char Vector [[gnu::vector_size(16)]];

// From here on the CPU's own string operations are faster than a loop: swept
// with realloc of 64 B to 1 MiB (bench/TUNING.md).
constexpr size_t kBulkFrom = 512;

inline void KeepLoop() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

template <typename T>
inline T Load(const unsigned char* from) {
  return *reinterpret_cast<const typename Loose<T>::Value*>(from);
}
template <typename T>
inline void Store(unsigned char* to, T value) {
  *reinterpret_cast<typename Loose<T>::Value*>(to) = value;
}

// Four vectors at once. A size of up to eight of them is two of these that
// overlap: a loop's number of rounds would be mispredicted where sizes vary.
struct Block {
  Vector part[4];
};

template <>
inline Block Load(const unsigned char* from) {
  Block block;
  for (unsigned i = 0; i < 4; ++i)
    block.part[i] = Load<Vector>(from + i * sizeof(Vector));
  return block;
}
template <>
inline void Store(unsigned char* to, Block block) {
  for (unsigned i = 0; i < 4; ++i)
    Store(to + i * sizeof(Vector), block.part[i]);
}

struct Half {
  Vector part[2];
};
template <>
inline Half Load(const unsigned char* from) {
  return {{Load<Vector>(from), Load<Vector>(from + sizeof(Vector))}};
}
template <>
inline void Store(unsigned char* to, Half half) {
  Store(to, half.part[0]);
  Store(to + sizeof(Vector), half.part[1]);
}

// Copies of one to two Ts: the first and the last, which may overlap. All is
// read before anything is written, so the ranges may, too.
template <typename T>
inline void CopyEnds(unsigned char* to, const unsigned char* from,
                     size_t size) {
  const T first = Load<T>(from);
  const T last = Load<T>(from + size - sizeof(T));
  Store(to, first);
  Store(to + size - sizeof(T), last);
}

// Up to the size of a Block.
inline void CopySmall(unsigned char* to, const unsigned char* from,
                      size_t size) {
  if (size > sizeof(Half)) {
    CopyEnds<Half>(to, from, size);
  } else if (size >= sizeof(Vector)) {
    CopyEnds<Vector>(to, from, size);
  } else if (size >= 8) {
    CopyEnds<unsigned long long>(to, from, size);
  } else if (size >= 4) {
    CopyEnds<unsigned>(to, from, size);
  } else if (size >= 2) {
    CopyEnds<unsigned short>(to, from, size);
  } else if (size == 1) {
    *to = *from;
  }
}

template <typename T>
inline void FillEnds(unsigned char* to, T value, size_t size) {
  Store(to, value);
  Store(to + size - sizeof(T), value);
}

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  if (size <= sizeof(Block)) {
    CopySmall(out, in, size);
  } else if (size < kBulkFrom) {
    // The end first, so that the loop may write over it.
    const Block last = Load<Block>(in + size - sizeof(Block));
    size_t at = 0;
    do {
      Store(out + at, Load<Block>(in + at));
      at += sizeof(Block);
      KeepLoop();
    } while (at + sizeof(Block) < size);
    Store(out + size - sizeof(Block), last);
  } else {
    ALCOVE_CORE_NAMESPACE::platform::CopyBulk(out, in, size);
  }
  return to;
}

void* memmove(void* to, const void* from, size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  if (out <= in || out >= in + size) return memcpy(to, from, size);
  // It overlaps and goes up: from the end. Nobody here does that often.
  while (size >= sizeof(Vector)) {
    size -= sizeof(Vector);
    Store(out + size, Load<Vector>(in + size));
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
  const unsigned long long word = value * 0x0101010101010101ull;
  if (size >= kBulkFrom) {
    ALCOVE_CORE_NAMESPACE::platform::FillBulk(out, value, size);
  } else if (size >= sizeof(Vector)) {
    const Vector vector = Vector{} + value;
    const Half half = {{vector, vector}};
    const Block block = {{vector, vector, vector, vector}};
    if (size <= sizeof(Half)) {
      FillEnds(out, vector, size);
    } else if (size <= sizeof(Block)) {
      FillEnds(out, half, size);
    } else {
      unsigned char* const last = out + size - sizeof(Block);
      Store(out, block);
      for (out += sizeof(Block); out < last; out += sizeof(Block)) {
        Store(out, block);
        KeepLoop();
      }
      Store(last, block);
    }
  } else if (size >= 8) {
    FillEnds(out, word, size);
  } else if (size >= 4) {
    FillEnds(out, static_cast<unsigned>(word), size);
  } else if (size >= 2) {
    FillEnds(out, static_cast<unsigned short>(word), size);
  } else if (size == 1) {
    *out = value;
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
