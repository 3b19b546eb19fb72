// What an instance alone knows: a random number of its own, from the first time
// that it is wanted until shutdown.
#ifndef ALCOVE_CORE_HARDENING_SECRET_H_
#define ALCOVE_CORE_HARDENING_SECRET_H_

#include "core/base/atomic.h"
#include "core/base/bits.h"

namespace ALCOVE_CORE_NAMESPACE {

// Spreads each bit over all (the finalizer of splitmix64). Not one that
// withstands an attacker who sees many results: it stands between him and a
// number that he would have to guess, no more.
constexpr uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

class Secret {
 public:
  constexpr Secret() = default;

  // Never 0. A child of fork has its parent's, as it has its memory.
  ALCOVE_INLINE uint64_t Get() {
    const uint64_t value = value_.Load(Order::kRelaxed);
    return ALCOVE_LIKELY(value != 0) ? value : Make();
  }
  void Forget() { value_.Store(0, Order::kRelaxed); }

 private:
  uint64_t Make();

  Atomic<uint64_t> value_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HARDENING_SECRET_H_
