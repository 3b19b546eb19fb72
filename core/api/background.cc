#include "core/api/background.h"

#include "core/api/oom.h"

namespace core = ALCOVE_CORE_NAMESPACE;

// libc's, met only where the knob asks for it.
extern "C" {
int* __errno_location() noexcept;
int pthread_attr_destroy(core::background::ThreadAttributes* a) noexcept;
int pthread_attr_init(core::background::ThreadAttributes* a) noexcept;
int pthread_attr_setstacksize(core::background::ThreadAttributes* a,
                              size_t size) noexcept;
int pthread_create(core::background::ThreadHandle* thread,
                   const core::background::ThreadAttributes* a,
                   void* (*start)(void*), void* argument) noexcept;
int pthread_join(core::background::ThreadHandle thread, void** result);
int pthread_sigmask(int how, const core::background::SignalSet* set,
                    core::background::SignalSet* before) noexcept;
int sigfillset(core::background::SignalSet* set) noexcept;
}

namespace ALCOVE_CORE_NAMESPACE {
namespace background {

namespace {

// It calls little, and libc keeps the program's thread-local variables there.
constexpr size_t kStackSize = size_t{64} << 10;

// Who Stop has to wait for. Of this process only if the purger says so.
[[maybe_unused]] constinit Atomic<ThreadHandle> g_thread;

// The life of the thread. It has no heap, ever.
[[maybe_unused]] void* Run(void*) {
  g_instance.registry.CleanUpNamesakes();
  while (g_instance.region.purger().AwaitSilence())
    g_instance.region.PurgeInBackground();
  return nullptr;
}

[[maybe_unused]] bool Create(ThreadHandle* thread) {
  ThreadAttributes attributes;
  if (pthread_attr_init(&attributes) == 0) {
    const bool created =
        pthread_attr_setstacksize(&attributes, kStackSize) == 0 &&
        pthread_create(thread, &attributes, Run, nullptr) == 0;
    pthread_attr_destroy(&attributes);
    if (created) return true;
  }
  // Where the program has more thread-local variables than that.
  return pthread_create(thread, nullptr, Run, nullptr) == 0;
}

}  // namespace

ALCOVE_COLD void Start() {
  if constexpr (Config::kBackgroundPurge) {
    if (!g_instance.region.purger().BeginStart()) return;
    // Where this instance is libc's malloc: a handler must not leave libc's
    // middle by longjmp, nor what was begun here.
    const InOomHandler nobody_is_asked;
    // free leaves errno alone, whatever libc does here.
    int* const errno_location = __errno_location();
    const int saved_errno = *errno_location;
    // The thread inherits the mask: the program's handlers are not to run on a
    // thread that it does not know of, with a stack as small. By libc's
    // functions, which leave out the signals that it needs itself.
    SignalSet all;
    SignalSet before;
    sigfillset(&all);
    pthread_sigmask(kSetSignalMask, &all, &before);
    ThreadHandle thread;
    if (Create(&thread)) {
      g_thread.Store(thread, Order::kRelease);
    } else {
      g_instance.region.purger().FailStart();
    }
    pthread_sigmask(kSetSignalMask, &before, nullptr);
    *errno_location = saved_errno;
  }
}

ALCOVE_COLD void Stop() {
  if constexpr (Config::kBackgroundPurge) {
    if (g_instance.region.purger().AskToEnd())
      pthread_join(g_thread.Load(Order::kAcquire), nullptr);
    g_instance.region.purger().Reset();
  }
}

}  // namespace background
}  // namespace ALCOVE_CORE_NAMESPACE
