#include "examples/common/maps.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace common {

size_t AddressSpace() {
  char text[128] = {};
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t size = read(file, text, sizeof(text) - 1);
  close(file);
  // The first number counts pages.
  return size <= 0 ? 0
                   : std::strtoul(text, nullptr, 10) * sysconf(_SC_PAGESIZE);
}

size_t CountMappings(uintptr_t low, uintptr_t high) {
  const std::unique_ptr<FILE, int (*)(FILE*)> maps(
      std::fopen("/proc/self/maps", "r"), std::fclose);
  if (maps == nullptr) return 0;
  size_t count = 0;
  unsigned long begin;
  unsigned long end;
  // "7f1c2a000000-7f1c2a021000 rw-p 00000000 00:00 0 <name>"
  while (std::fscanf(maps.get(), "%lx-%lx%*[^\n]", &begin, &end) == 2) {
    count += begin < high && end > low;
  }
  return count;
}

}  // namespace common
