#include "registry/name_owners.h"

#include <link.h>

#include "registry/instances.h"

namespace registry = alcove::registry;

namespace {

struct Line {
  char* text;
  size_t room;
  size_t size;

  void Add(const char* part) {
    for (; *part != '\0' && size < room; ++part) text[size++] = *part;
  }
};

// The hook. On a stack of unknown size, so of the entry only one is kept.
size_t NameOwner(const void* address, char* text, size_t size) {
  alcove_instance_entry owner;
  if (alcove_registry_owner_of(address, &owner) != 1) return 0;
  Line line = {text, size, 0};
  line.Add("alcove[");
  line.Add(owner.prefix);
  line.Add("] ");
  line.Add(owner.version);
  line.Add(" (");
  line.Add(owner.label);
  line.Add(")");
  return line.size;
}

// Puts `to` into the hooks of all instances that have `from`; how many have
// `to` then, or a negated error number.
struct Change {
  alcove_foreign_owner_hook from;
  alcove_foreign_owner_hook to;
  long result;
  bool done;
};

void Apply(Change* change) {
  change->done = true;
  registry::Memory memory;
  registry::Instances instances(&memory);
  registry::Found found;
  while (instances.Next(&found)) {
    if (!registry::CanBeSearched(found.status)) continue;
    alcove_foreign_owner_hook* const hook = found.stated.foreign_owner_hook;
    alcove_foreign_owner_hook was = change->from;
    if (__atomic_compare_exchange_n(hook, &was, change->to, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) ||
        was == change->to) {
      ++change->result;
    }
  }
  if (instances.error() != 0) change->result = instances.error();
}

// While dl_iterate_phdr is in here, no object is unloaded: it promises that the
// headers it shows are there.
long ApplyToLoaded(alcove_foreign_owner_hook from,
                   alcove_foreign_owner_hook to) {
  Change change = {from, to, 0, false};
  dl_iterate_phdr(
      [](dl_phdr_info*, size_t, void* data) {
        Apply(static_cast<Change*>(data));
        return 1;
      },
      &change);
  if (!change.done) Apply(&change);
  return change.result;
}

// For the instances that are there from the beginning: a program that links
// this library has nothing else to do.
__attribute__((constructor)) void Attach() { alcove_registry_attach(); }

// A shared object that brought the registry takes it along. At the end of the
// program it does no harm.
__attribute__((destructor)) void Detach() { ApplyToLoaded(NameOwner, nullptr); }

}  // namespace

extern "C" __attribute__((visibility("protected"))) long alcove_registry_attach(
    void) {
  return ApplyToLoaded(nullptr, NameOwner);
}
