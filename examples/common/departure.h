// The end of an instance, and the proof that nothing of it is left.
#ifndef EXAMPLES_COMMON_DEPARTURE_H_
#define EXAMPLES_COMMON_DEPARTURE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace common {

// What an instance has mapped, as its statistics tell.
struct Extent {
  uintptr_t address_low = 0;
  uintptr_t address_high = 0;
  size_t bytes_reserved = 0;
  size_t bytes_metadata = 0;
};

struct Departure {
  std::string text;    // what happened, to be shown
  bool clean = false;  // it shut down, and no mapping of it is left
};

// Shuts the instance of this name down. No thread may use it meanwhile, and
// nothing may live in it.
Departure ShutDown(const char* name, const Extent& had, int (*shutdown)(),
                   bool (*owns)(const void* address));

}  // namespace common

#endif  // EXAMPLES_COMMON_DEPARTURE_H_
