// The C++ runtime that the process turns out to have, if any: looked for when
// memory has run out, not before. Whoever called operator new has one, but
// maybe one that came with a plugin (a Python extension, say) and is out of the
// scope in which our own references were resolved.
#include <dlfcn.h>
#include <unistd.h>
#include <unwind.h>

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <new>

#include "instances/malloc/cxx_runtime.h"

namespace alcove_malloc {
namespace {

// A function of the C++ runtime that the process has loaded, or null.
// libstdc++ and libc++ have all that is asked for here, under the same names.
void* Find(const char* name) {
  if (void* const function = dlsym(RTLD_DEFAULT, name)) return function;
  for (const char* runtime : {"libstdc++.so.6", "libc++abi.so.1"}) {
    void* const handle = dlopen(runtime, RTLD_LAZY | RTLD_NOLOAD);
    if (handle == nullptr) continue;
    void* const function = dlsym(handle, name);
    dlclose(handle);  // its users keep it loaded
    if (function != nullptr) return function;
  }
  return nullptr;
}

template <typename Function>
Function* FindAs(const char* name) {
  return reinterpret_cast<Function*>(Find(name));
}

}  // namespace

std::new_handler NewHandler() {
  auto* const get = FindAs<std::new_handler()>("_ZSt15get_new_handlerv");
  return get == nullptr ? nullptr : get();
}

void ThrowBadAlloc() {
  auto* const throw_it = FindAs<void()>("_ZSt17__throw_bad_allocv");
  if (throw_it != nullptr) throw_it();
  constexpr char kMessage[] =
      "alcove: operator new: out of memory, and no C++ runtime to throw "
      "std::bad_alloc\n";
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
  abort();
}

}  // namespace alcove_malloc

// What the compiler refers to in a function with a catch clause. These serve
// the operators only, hidden as they are, and run only while an exception is on
// its way, so that there is a runtime to be found.
#define ALCOVE_OUR_OWN extern "C" __attribute__((visibility("hidden")))

ALCOVE_OUR_OWN _Unwind_Reason_Code __gxx_personality_v0(
    int version, _Unwind_Action actions, _Unwind_Exception_Class kind,
    _Unwind_Exception* exception, _Unwind_Context* context) {
  auto* const personality =
      alcove_malloc::FindAs<decltype(__gxx_personality_v0)>(
          "__gxx_personality_v0");
  if (personality == nullptr) return _URC_FATAL_PHASE1_ERROR;
  return personality(version, actions, kind, exception, context);
}

ALCOVE_OUR_OWN void* __cxa_begin_catch(void* exception) noexcept {
  return alcove_malloc::FindAs<void*(void*)>("__cxa_begin_catch")(exception);
}

ALCOVE_OUR_OWN void __cxa_end_catch() {
  alcove_malloc::FindAs<void()>("__cxa_end_catch")();
}
