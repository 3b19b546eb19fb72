#include "core/api/thread_exit.h"

#include "core/api/state.h"

// libc's, met only where the knob asks for it. pthread_key_t is an unsigned int
// on Linux, with glibc and with musl.
extern "C" {
int pthread_key_create(unsigned* key, void (*destructor)(void*)) noexcept;
int pthread_key_delete(unsigned key) noexcept;
int pthread_setspecific(unsigned key, const void* value) noexcept;
}

namespace ALCOVE_CORE_NAMESPACE {
namespace thread_exit {

namespace {

constexpr bool kUsesKey = Config::kThreadExit == ThreadExit::pthread_key;

// The key and 1, or 0 for none yet.
constinit Atomic<uint64_t> g_key;

void AtExit(void* heap) {
  ForgetHeap();
  g_arenas.Trim(static_cast<Heap*>(heap));
  g_instance.registry.HandBack(static_cast<Heap*>(heap));
}

// The key, made by the first thread that needs it; false if libc has none left,
// and then dead threads are found by probing.
[[maybe_unused]] bool GetKey(unsigned* key) {
  uint64_t have = g_key.Load(Order::kAcquire);
  if (have == 0) {
    unsigned made;
    if (pthread_key_create(&made, AtExit) != 0) return false;
    if (g_key.CompareExchange(have, uint64_t{made} + 1, Order::kAcqRel)) {
      have = uint64_t{made} + 1;
    } else {
      pthread_key_delete(made);  // another thread was faster
    }
  }
  *key = static_cast<unsigned>(have - 1);
  return true;
}

}  // namespace

ALCOVE_COLD void Arm(Heap* heap) {
  if constexpr (kUsesKey) {
    unsigned key;
    if (GetKey(&key)) pthread_setspecific(key, heap);
  }
}

ALCOVE_COLD void Disarm() {
  if constexpr (kUsesKey) {
    unsigned key;
    if (GetKey(&key)) pthread_setspecific(key, nullptr);
  }
}

ALCOVE_COLD void Release() {
  if constexpr (kUsesKey) {
    const uint64_t have = g_key.Exchange(0, Order::kAcqRel);
    if (have != 0) pthread_key_delete(static_cast<unsigned>(have - 1));
  }
}

}  // namespace thread_exit
}  // namespace ALCOVE_CORE_NAMESPACE
