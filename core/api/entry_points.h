// What every file of entry points includes: the generated public header, so
// that a definition that differs from its declaration does not compile, and the
// way to name a function.
#ifndef ALCOVE_CORE_API_ENTRY_POINTS_H_
#define ALCOVE_CORE_API_ENTRY_POINTS_H_

#include "core/base/config.h"

// The header then defines ALCOVE_LABEL_STRING, too.
#define ALCOVE_BUILDING_CORE 1
#include ALCOVE_PUBLIC_HEADER

// ALCOVE_PUBLIC(malloc) is render_malloc in the instance with the prefix
// render_.
#define ALCOVE_PASTE_(prefix, name) prefix##name
#define ALCOVE_PASTE(prefix, name) ALCOVE_PASTE_(prefix, name)
#define ALCOVE_PUBLIC(name) ALCOVE_PASTE(ALCOVE_PREFIX, name)

// Marks the only symbols that leave the instance. Protected: calls of them from
// a shared object find its own instance even where the host has one with the
// same prefix and exports it.
#define ALCOVE_EXPORT extern "C" __attribute__((visibility("protected")))

#endif  // ALCOVE_CORE_API_ENTRY_POINTS_H_
