// Chooses the CPU. A new one gets a folder of its own and a line here.
#ifndef ALCOVE_PLATFORM_CPU_H_
#define ALCOVE_PLATFORM_CPU_H_

#if defined(__x86_64__) && defined(__linux__)
#include "platform/linux_x86_64/cpu.h"
#else
#error \
    "Alcove serves Linux on x86_64 only; platform/README.md says how to add another."
#endif

#endif  // ALCOVE_PLATFORM_CPU_H_
