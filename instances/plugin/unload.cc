// Gives back all that an instance holds when the shared object that it is part
// of is closed. Compiled for each instance with linkage = "plugin", beside the
// audited object, which itself does nothing at load or exit.
//
// The end of the process runs the same functions as dlclose does, while other
// threads may still be in the instance: then nothing is to be done, and the
// order tells. What atexit registered runs
//
//   at the end of the process  before the loader finishes any shared object
//   in dlclose                 with the destructors of the shared object's C++
//                              statics, by an entry of its .fini_array that the
//                              compiler put before all others
//
// and .fini_array runs from its end to its beginning. So a plain destructor is
// there first in dlclose, and late at the end of the process; and one with a
// priority comes after the C++ statics, which may free their blocks.
#if !defined(ALCOVE_ABANDON)
#error "compiled by alcove_instance(linkage = \"plugin\")"
#endif

extern "C" __attribute__((visibility("hidden"))) void ALCOVE_ABANDON(void);

// What atexit does in a shared object. A sanitizer has an atexit of its own, which
// does not know which shared object it is called from, and would call this one's
// function at the end of the process, when the object is long gone.
extern "C" int __cxa_atexit(void (*function)(void*), void* argument,
                            void* shared_object) noexcept;
extern "C" __attribute__((visibility("hidden"))) void* __dso_handle;

namespace {

bool process_ends = false;
bool is_closed = false;

void NoteEnd(void*) { process_ends = true; }

__attribute__((constructor)) void Watch() {
  // Without it the process's end could not be told: rather keep the memory.
  if (__cxa_atexit(NoteEnd, nullptr, &__dso_handle) != 0) process_ends = true;
}

__attribute__((destructor)) void Look() { is_closed = !process_ends; }

// The lowest priority that is not the implementation's own.
__attribute__((destructor(101))) void Unload() {
  if (is_closed) ALCOVE_ABANDON();
}

}  // namespace
