// What operator new needs of the C++ runtime when there is no memory.
#ifndef ALCOVE_INSTANCES_MALLOC_CXX_RUNTIME_H_
#define ALCOVE_INSTANCES_MALLOC_CXX_RUNTIME_H_

#include <new>

namespace alcove_malloc {

// std::get_new_handler().
__attribute__((visibility("hidden"))) std::new_handler NewHandler();

// Throws std::bad_alloc, or ends the process where nothing can be thrown.
[[noreturn]] __attribute__((visibility("hidden"))) void ThrowBadAlloc();

}  // namespace alcove_malloc

#endif  // ALCOVE_INSTANCES_MALLOC_CXX_RUNTIME_H_
