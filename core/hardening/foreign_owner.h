// Whose memory it is that is not this instance's: an instance cannot know, but
// where the program links the registry, that has put a function here to ask.
#ifndef ALCOVE_CORE_HARDENING_FOREIGN_OWNER_H_
#define ALCOVE_CORE_HARDENING_FOREIGN_OWNER_H_

#include "core/base/atomic.h"
#include "core/base/config.h"
#include "core/base/line.h"

namespace ALCOVE_CORE_NAMESPACE {

// Writes the name of the address's owner, at most `size` bytes, and returns how
// many; 0: nobody that it knows. It may be called by any thread, in a signal
// handler too, and calls no instance. Plain C, and unchanged for as long as the
// descriptor's layout is (core/api/descriptor.h), which tells others where to
// put one.
using ForeignOwnerHook = size_t (*)(const void* address, char* text,
                                    size_t size);

// Null: nobody to ask. It belongs to how the program is linked, not to the life
// of the instance: shutdown leaves it.
extern ALCOVE_HIDDEN Atomic<ForeignOwnerHook> g_foreign_owner_hook;

// Appends ": it belongs to <owner>" to the line, if there is anybody to ask who
// knows the owner.
void NameForeignOwner(const void* address, TextLine* line);

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HARDENING_FOREIGN_OWNER_H_
