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
//
// Who closes the shared object while the process ends, from a static of its own,
// say, would have its code unmapped with everything in place: so from then on it
// is held. And in a namespace that dlmopen made, nobody runs what atexit
// registered: there nothing is ever given back.
#include <dlfcn.h>
#include <link.h>

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

// The loader's, which a program has that opens shared objects. (Old C libraries
// have them in a library of their own, and static programs may have none.)
#pragma weak dladdr1
#pragma weak dlopen

namespace {

bool process_ends = false;
bool is_closed = false;

void NoteEnd(void*);

// What the loader knows of this shared object; null if it cannot be asked.
link_map* OwnMap() {
  Dl_info info;
  link_map* map = nullptr;
  if (dladdr1 == nullptr ||
      dladdr1(reinterpret_cast<void*>(NoteEnd), &info,
              reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0) {
    return nullptr;
  }
  return map;
}

// The program's own namespace begins with the program, which has no name.
bool IsInMainNamespace() {
  const link_map* map = OwnMap();
  if (map == nullptr) return true;
  while (map->l_prev != nullptr) map = map->l_prev;
  return map->l_name[0] == '\0';
}

void NoteEnd(void*) {
  process_ends = true;
  const link_map* const map = OwnMap();
  if (map == nullptr || dlopen == nullptr) return;
  dlopen(map->l_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

__attribute__((constructor)) void Watch() {
  if (!IsInMainNamespace()) process_ends = true;
  // Without it the process's end could not be told: rather keep the memory.
  if (__cxa_atexit(NoteEnd, nullptr, &__dso_handle) != 0) process_ends = true;
}

__attribute__((destructor)) void Look() { is_closed = !process_ends; }

// The lowest priority that is not the implementation's own.
__attribute__((destructor(101))) void Unload() {
  if (is_closed) ALCOVE_ABANDON();
}

}  // namespace
