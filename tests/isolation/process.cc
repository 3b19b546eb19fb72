#include "tests/isolation/process.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace isolation {

namespace {

// The number at `index` in /proc/self/statm, which counts pages.
size_t Pages(int index) {
  char text[128] = {};
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const ssize_t size = read(file, text, sizeof(text) - 1);
  close(file);
  if (size <= 0) std::abort();
  char* at = text;
  size_t pages = 0;
  for (int i = 0; i <= index; ++i) pages = std::strtoul(at, &at, 10);
  return pages;
}

// Hands out the lines of a file from a buffer on the stack.
class Lines {
 public:
  explicit Lines(const char* path) : file_(open(path, O_RDONLY | O_CLOEXEC)) {
    if (file_ < 0) std::abort();
  }
  ~Lines() { close(file_); }

  const char* Next() {
    size_t length = 0;
    for (;;) {
      if (at_ == size_) {
        const ssize_t got = read(file_, buffer_, sizeof(buffer_));
        if (got <= 0) return nullptr;
        size_ = static_cast<size_t>(got);
        at_ = 0;
      }
      const char c = buffer_[at_++];
      if (c == '\n') break;
      if (length < sizeof(line_) - 1) line_[length++] = c;
    }
    line_[length] = '\0';
    return line_;
  }

 private:
  const int file_;
  char buffer_[4096];
  char line_[512];
  size_t at_ = 0;
  size_t size_ = 0;
};

}  // namespace

size_t AddressSpace() {
  return Pages(0) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t ResidentBytes() {
  return Pages(1) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t CountMappings(uintptr_t low, uintptr_t high) {
  Lines lines("/proc/self/maps");
  size_t count = 0;
  while (const char* line = lines.Next()) {
    char* after = nullptr;
    const uintptr_t begin = std::strtoul(line, &after, 16);
    const uintptr_t end = std::strtoul(after + 1, nullptr, 16);
    count += begin < high && end > low;
  }
  return count;
}

}  // namespace isolation
