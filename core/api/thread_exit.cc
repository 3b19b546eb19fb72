#include "core/api/thread_exit.h"

#include "core/api/state.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace thread_exit {

constinit Atomic<uint64_t> g_key;

namespace {

constexpr bool kHandsBack = Config::kThreadExit == ThreadExit::pthread_key;
constexpr bool kIsTls = Config::kTls == Tls::pthread_key;
constexpr bool kUsesKey = kHandsBack || kIsTls;

// How many threads are in AtExit.
constinit Atomic<uint32_t> g_ending;

void AtExit(void* heap) {
  // Before the look at the key: either Release sees this thread, or this thread
  // that there is nothing left to hand back to.
  g_ending.FetchAdd(1, Order::kSeqCst);
  if (g_key.Load(Order::kSeqCst) != 0) {
    ForgetHeap();
    g_arenas.Trim(static_cast<Heap*>(heap));
    g_instance.registry.HandBack(static_cast<Heap*>(heap));
  }
  g_ending.FetchSub(1, Order::kRelease);
}

// The key, made by the first thread that needs it; false if libc has none left,
// and then dead threads are found by probing.
[[maybe_unused]] bool GetKey(unsigned* key) {
  uint64_t have = g_key.Load(Order::kAcquire);
  if (have == 0) {
    unsigned made;
    if (pthread_key_create(&made, kHandsBack ? AtExit : nullptr) != 0)
      return false;
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

ALCOVE_COLD bool SetHeap(Heap* heap) {
  if constexpr (kIsTls) {
    if (heap == nullptr && g_key.Load(Order::kAcquire) == 0) return true;
    unsigned key;
    return GetKey(&key) && pthread_setspecific(key, heap) == 0;
  } else {
    return false;
  }
}

// With kIsTls the value under the key is what SetHeap makes of it.

ALCOVE_COLD void Arm(Heap* heap) {
  if constexpr (kHandsBack && !kIsTls) {
    unsigned key;
    if (GetKey(&key)) pthread_setspecific(key, heap);
  }
}

ALCOVE_COLD void Disarm() {
  if constexpr (kHandsBack && !kIsTls) {
    unsigned key;
    if (GetKey(&key)) pthread_setspecific(key, nullptr);
  }
}

ALCOVE_COLD void Release() {
  if constexpr (kUsesKey) {
    const uint64_t have = g_key.Exchange(0, Order::kSeqCst);
    if (have != 0) pthread_key_delete(static_cast<unsigned>(have - 1));
    // What they hand back to is about to go, and this code, too, perhaps.
    while (g_ending.Load(Order::kAcquire) != 0) platform::Yield();
  }
}

}  // namespace thread_exit
}  // namespace ALCOVE_CORE_NAMESPACE
