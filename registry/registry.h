/* All Alcove instances of the process, of every version, and whose an address
 * is. C17 and C++.
 *
 * There is no list that instances enter themselves into. Every call looks at
 * the objects that are loaded at this moment (/proc/thread-self/maps), and in
 * them for the notes of instances (descriptor.h); so shared objects that were
 * opened later are found, in whatever namespace, and closed ones are not.
 *
 * Every function here may be called by any thread at any time, in a signal
 * handler that interrupted anything, an instance, malloc or the loader
 * included: none takes a lock, allocates, touches errno, or runs code of an
 * instance or of libc. All memory that others may unmap meanwhile is read
 * through the system (process_vm_readv, or /proc/thread-self/mem where that is
 * forbidden), so a plugin that is closed at the same time is found or not, and
 * that is all. A call takes up to 4.5 KiB of stack.
 *
 * Errors are negated error numbers: -ENOENT or -EACCES where /proc is not to be
 * had, -EMFILE where no file can be opened, -EPERM or -ENOSYS where neither
 * way to read memory is allowed. */
#ifndef ALCOVE_REGISTRY_REGISTRY_H_
#define ALCOVE_REGISTRY_REGISTRY_H_

#include <stddef.h>
#include <stdint.h>

#include "registry/descriptor.h"

#ifdef __cplusplus
#define ALCOVE_REGISTRY_NOEXCEPT noexcept
extern "C" {
#else
#define ALCOVE_REGISTRY_NOEXCEPT
#endif

enum alcove_instance_status {
  /* Everything is known. */
  ALCOVE_INSTANCE_KNOWN = 0,
  /* A release later than this registry's, or no release number. Its layout is
   * known, so all of the entry holds, and its blocks are found. */
  ALCOVE_INSTANCE_UNKNOWN_VERSION = 1,
  /* Only `descriptor`, `object`, `file`, and of `stated` the fields that every
   * layout has, as far as its stated size reaches. Its blocks are nobody's. */
  ALCOVE_INSTANCE_UNKNOWN_LAYOUT = 2,
  /* What it says of itself cannot be: fields as with an unknown layout. */
  ALCOVE_INSTANCE_MALFORMED = 3,
};

/* For `truncated`: the text was longer than its array. */
#define ALCOVE_TRUNCATED_PREFIX 1u
#define ALCOVE_TRUNCATED_VERSION 2u
#define ALCOVE_TRUNCATED_LABEL 4u
#define ALCOVE_TRUNCATED_FILE 8u

/* One instance, all of it a copy: it stays as it is when the instance is gone.
 * Control characters in texts are replaced by '?'. */
struct alcove_instance_entry {
  uint32_t status;        /* enum alcove_instance_status */
  uint32_t truncated;     /* ALCOVE_TRUNCATED_* */
  const void* descriptor; /* where it is; not to be read without care */
  const void* object;     /* where its program or shared object begins */
  struct alcove_instance_descriptor stated; /* zeros where it was not read */
  char prefix[64];
  char version[32];
  char label[192];
  char file[256]; /* the object's, as the system calls it; a long one's end */
};

/* Writes the first `capacity` instances of the process to `entries`, ordered by
 * address, and returns how many there are, which may be more. One that is
 * loaded or unloaded meanwhile may be missing. Costs a look at every mapping of
 * the process. */
long alcove_registry_list(struct alcove_instance_entry* entries,
                          size_t capacity) ALCOVE_REGISTRY_NOEXCEPT;

/* Whose address range it is that `address` lies in, whether or not there is a
 * block. 1: *owner is set, unless it is null; 0: no instance's, *owner is
 * undefined. Costs what alcove_registry_list does, at most. */
int alcove_registry_owner_of(const void* address,
                             struct alcove_instance_entry* owner)
    ALCOVE_REGISTRY_NOEXCEPT;

/* The same among entries that alcove_registry_list wrote before, without
 * looking for others: two system calls for 8 entries, one more to make sure.
 * 1: *index, which may be null, is set. An entry whose instance is gone owns
 * nothing. */
int alcove_registry_owner_among(const struct alcove_instance_entry* entries,
                                size_t count, const void* address,
                                size_t* index) ALCOVE_REGISTRY_NOEXCEPT;

/* Copies the instance's configuration, JSON, to `text`, with a zero at the end
 * if `size` > 0, and returns its whole length; 0 if it has none. -ESRCH if the
 * instance is gone. */
long alcove_registry_config(const struct alcove_instance_entry* entry,
                            char* text, size_t size) ALCOVE_REGISTRY_NOEXCEPT;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ALCOVE_REGISTRY_REGISTRY_H_ */
