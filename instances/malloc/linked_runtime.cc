// The C++ runtime that the program is linked with.
#include "instances/malloc/cxx_runtime.h"

namespace alcove_malloc {

std::new_handler NewHandler() { return std::get_new_handler(); }

void ThrowBadAlloc() { throw std::bad_alloc(); }

}  // namespace alcove_malloc
