/* A shared object with what looks like an instance, of a layout and size and
 * version that the compiler is told: its note and its descriptor, which ends
 * where the last readable byte of a page does. Whoever reads on has a fault. */
#include <string.h>
#include <sys/mman.h>

#include "registry/descriptor.h"

#define PAGE 4096
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

__attribute__((visibility("hidden"), aligned(PAGE),
               used)) unsigned char registry_fake_pages[2 * PAGE] = {1};

__asm__(".pushsection .note.alcove,\"a\",@note\n"
        ".balign 4\n"
        ".long 7, 16, 1\n"
        ".asciz \"Alcove\"\n"
        ".balign 4\n"
        ".long " TEXT(FAKE_LAYOUT) ", " TEXT(FAKE_SIZE) "\n"
        ".quad registry_fake_pages + 4096 - " TEXT(FAKE_SIZE) " - .\n"
        ".popsection");

/* Its one range: 16 units of 4 KiB. */
static char fake_memory[16 * PAGE];
static const struct {
  const void* base;
  uint64_t units;
} fake_range = {fake_memory, 16};
static const void* fake_ranges[] = {&fake_range, 0};
static alcove_foreign_owner_hook fake_hook;

__attribute__((constructor)) static void MakeDescriptor(void) {
  unsigned char* const at = registry_fake_pages + PAGE - FAKE_SIZE;
  const struct alcove_instance_descriptor descriptor = {
      .magic = ALCOVE_DESCRIPTOR_MAGIC,
      .struct_size = FAKE_SIZE,
      .layout = FAKE_LAYOUT,
      .self = (const struct alcove_instance_descriptor*)(const void*)at,
      .prefix = "fake_",
      .prefix_size = 5,
      .version = FAKE_VERSION,
      .version_size = sizeof(FAKE_VERSION) - 1,
      .label = FAKE_LABEL,
      .label_size = sizeof(FAKE_LABEL) - 1,
      .ranges = fake_ranges,
      .ranges_max = 2,
      .range_base = 0,
      .range_units = 8,
      .unit_shift = 12,
      .foreign_owner_hook = &fake_hook,
  };
  memset(registry_fake_pages, 0xff, PAGE);
  memcpy(at, &descriptor,
         FAKE_SIZE < sizeof(descriptor) ? FAKE_SIZE : sizeof(descriptor));
  mprotect(registry_fake_pages + PAGE, PAGE, PROT_NONE);
}

const void* registry_fake_memory(void);
const void* registry_fake_memory(void) { return fake_memory + PAGE; }
