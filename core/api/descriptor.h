// What this copy says of itself to whoever reads the memory of the process: one
// constant object, to which an ELF note leads (section .note.alcove, owner
// "Alcove", type 1). No code of ours runs for it, at load or later.
//
// The struct is a part of the public contract: registry/descriptor.h has it in C,
// with the meaning of each field, and a test compares the two. The fields up to
// `self` are the same in every layout there will be; more at the end make it
// longer, anything else is a new number for `layout`.
#ifndef ALCOVE_CORE_API_DESCRIPTOR_H_
#define ALCOVE_CORE_API_DESCRIPTOR_H_

#include "core/hardening/foreign_owner.h"
#include "core/region/region.h"

namespace ALCOVE_CORE_NAMESPACE {

struct Descriptor {
  uint64_t magic;
  uint32_t struct_size;
  uint32_t layout;
  const Descriptor* self;

  const char* prefix;
  const char* version;
  const char* label;
  const char* config;
  uint32_t prefix_size;
  uint32_t version_size;
  uint32_t label_size;
  uint32_t config_size;

  const Atomic<Range*>* ranges;
  uint32_t ranges_max;
  uint32_t range_base;
  uint32_t range_units;
  uint32_t unit_shift;

  Atomic<ForeignOwnerHook>* foreign_owner_hook;
};

// "AlcoveIn", read as a little-endian number.
inline constexpr uint64_t kDescriptorMagic = 0x6e4965766f636c41;

// Macros, because assembler code is written with them.
#define ALCOVE_DESCRIPTOR_LAYOUT 1
#define ALCOVE_DESCRIPTOR_SIZE 104
#define ALCOVE_DESCRIPTOR_SYMBOL ALCOVE_PREFIX_STRING "descriptor"

extern const ALCOVE_HIDDEN Descriptor g_descriptor
    ALCOVE_SYMBOL(ALCOVE_DESCRIPTOR_SYMBOL);

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_DESCRIPTOR_H_
