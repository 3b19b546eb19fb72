#include "registry/registry.h"

#include "registry/instances.h"

// Protected: calls from a shared object find its own copy of the registry even
// where the program has one of another release and exports it.
#define ALCOVE_REGISTRY_EXPORT \
  extern "C" __attribute__((visibility("protected")))

namespace registry = alcove::registry;

ALCOVE_REGISTRY_EXPORT long alcove_registry_list(alcove_instance_entry* entries,
                                                 size_t capacity) noexcept {
  registry::Memory memory;
  registry::Instances instances(&memory);
  registry::Found found;
  size_t count = 0;
  while (instances.Next(&found)) {
    if (count >= capacity || instances.Describe(found, &entries[count]))
      ++count;
  }
  return instances.error() != 0 ? instances.error() : static_cast<long>(count);
}

ALCOVE_REGISTRY_EXPORT int alcove_registry_owner_of(
    const void* address, alcove_instance_entry* owner) noexcept {
  registry::Memory memory;
  registry::Instances instances(&memory);
  registry::Found found;
  while (instances.Next(&found)) {
    if (!registry::CanBeSearched(found.status) ||
        registry::FindOwner(&memory, &found.stated, 0, 1,
                            reinterpret_cast<uintptr_t>(address)) != 0) {
      continue;
    }
    if (owner == nullptr || instances.Describe(found, owner)) return 1;
  }
  return static_cast<int>(instances.error());
}

ALCOVE_REGISTRY_EXPORT int alcove_registry_owner_among(
    const alcove_instance_entry* entries, size_t count, const void* address,
    size_t* index) noexcept {
  if (count == 0) return 0;
  registry::Memory memory;
  const size_t owner =
      registry::FindOwner(&memory, &entries[0].stated, sizeof(entries[0]),
                          count, reinterpret_cast<uintptr_t>(address));
  if (owner == count) return static_cast<int>(memory.error());
  if (index != nullptr) *index = owner;
  return 1;
}

ALCOVE_REGISTRY_EXPORT long alcove_registry_config(
    const alcove_instance_entry* entry, char* text, size_t size) noexcept {
  const alcove_instance_descriptor& stated = entry->stated;
  if (stated.config == nullptr) {
    if (size != 0) text[0] = '\0';
    return 0;
  }
  registry::Memory memory;
  const size_t copied = stated.config_size < size ? stated.config_size
                        : size == 0               ? 0
                                                  : size - 1;
  // The text first: it was the instance's if that is still there afterwards.
  alcove_instance_descriptor now;
  if (!memory.Copy(reinterpret_cast<uintptr_t>(stated.config), text, copied) ||
      !memory.Copy(reinterpret_cast<uintptr_t>(stated.self), &now,
                   sizeof(now)) ||
      now.self != stated.self || now.config != stated.config) {
    return memory.error() != 0 ? memory.error() : -registry::kErrNoProcess;
  }
  if (size != 0) text[copied] = '\0';
  return static_cast<long>(stated.config_size);
}
