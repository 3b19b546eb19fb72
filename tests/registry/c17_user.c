/* The public headers are plain C. */
#include "tests/registry/c17_user.h"

#include "registry/name_owners.h"
#include "registry/registry.h"

_Static_assert(sizeof(struct alcove_instance_note) == 16, "as it is in files");
_Static_assert(offsetof(struct alcove_instance_note, distance) == 8,
               "as it is in files");

long registry_c17_count(const void* address) {
  struct alcove_instance_entry entries[4];
  const long count = alcove_registry_list(entries, 4);
  if (count < 0 || alcove_registry_owner_of(address, entries) != 1) return -1;
  return count;
}

long (*registry_c17_attach(void))(void) { return alcove_registry_attach; }
