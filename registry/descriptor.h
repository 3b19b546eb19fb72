/* What an Alcove instance says of itself to whoever reads the memory of its
 * process: one constant object in each instance, and the ELF note that leads to
 * it. C17 and C++; depends on nothing.
 *
 * The note is in the section .note.alcove, so a program header (PT_NOTE) of the
 * finished program or shared object leads to it. Its owner is "Alcove", its
 * type ALCOVE_NOTE_TYPE, its content a struct alcove_instance_note. One object
 * file has as many of them as it has instances.
 *
 * Nothing here is the state of an instance: the memory that `ranges` leads to
 * changes at any time, and all of it is gone once the object is unloaded. Code
 * that cannot exclude that reads with process_vm_readv, as //registry does. */
#ifndef ALCOVE_REGISTRY_DESCRIPTOR_H_
#define ALCOVE_REGISTRY_DESCRIPTOR_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ALCOVE_NOTE_OWNER "Alcove"
#define ALCOVE_NOTE_TYPE 1

/* "AlcoveIn", read as a little-endian number. */
#define ALCOVE_DESCRIPTOR_MAGIC UINT64_C(0x6e4965766f636c41)

/* The layout that this header describes. A number that is not known says that
 * all fields behind `self` mean something else. */
#define ALCOVE_DESCRIPTOR_LAYOUT_1 1

/* The content of the note, 4-byte aligned. */
struct alcove_instance_note {
  uint32_t layout;      /* the descriptor's, so that it need not be read */
  uint32_t struct_size; /* the same */
  int32_t distance[2];  /* from here to the descriptor, bytes: an int64_t of
                           which the lower half comes first */
};

/* Writes the name of the owner of the address, at most `size` bytes without a
 * zero behind, and returns how many; 0 if it knows none. Called by an instance
 * on its way to stop the process, by any thread, at any moment, signal handlers
 * included. */
typedef size_t (*alcove_foreign_owner_hook)(const void* address, char* text,
                                            size_t size);

/* Texts end with a zero behind their stated size. A pointer that is not in the
 * instance's own object is an error. */
struct alcove_instance_descriptor {
  /* The same in every layout. */
  uint64_t magic;
  uint32_t struct_size; /* bytes of the whole; at its end a layout may grow */
  uint32_t layout;
  const struct alcove_instance_descriptor* self; /* so it is loaded */

  /* Layout 1. */
  const char* prefix;  /* "render_" */
  const char* version; /* "0.1.0" */
  const char* label;   /* Bazel's, of the instance: "//server:render_heap" */
  const char* config;  /* its knobs as JSON; may be null */
  uint32_t prefix_size;
  uint32_t version_size;
  uint32_t label_size;
  uint32_t config_size;

  /* The address ranges that are the instance's: an array of `ranges_max`
   * pointers to objects, null from the first unused one on. At `range_base`
   * bytes from the start of each is the range's address, and at `range_units`
   * its size in units of 2^unit_shift bytes; 8 bytes both. */
  const void* const* ranges;
  uint32_t ranges_max;
  uint32_t range_base;
  uint32_t range_units;
  uint32_t unit_shift;

  /* Where to put a function that names owners of memory which is not this
   * instance's. Null, or somebody's who is to be left there: change it by
   * compare-and-swap, and only while the object cannot be unloaded. */
  alcove_foreign_owner_hook* foreign_owner_hook;
};

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ALCOVE_REGISTRY_DESCRIPTOR_H_ */
