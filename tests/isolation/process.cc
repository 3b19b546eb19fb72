#include "tests/isolation/process.h"

#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

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

// "7f1c2a000000-7f1c2a021000 rw-p 00000000 00:00 0   <name>"
template <typename Each>
void ForEachMapping(Each each) {
  Lines lines("/proc/self/maps");
  while (const char* line = lines.Next()) {
    Mapping mapping = {};
    char* after = nullptr;
    mapping.begin = std::strtoul(line, &after, 16);
    mapping.end = std::strtoul(after + 1, &after, 16);
    std::memcpy(mapping.access, after + 1, sizeof(mapping.access) - 1);
    mapping.has_name = std::strpbrk(after, "/[") != nullptr;
    each(mapping);
  }
}

}  // namespace

size_t AddressSpace() {
  return Pages(0) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t ResidentBytes() {
  return Pages(1) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t CountMappings(uintptr_t low, uintptr_t high) {
  size_t count = 0;
  ForEachMapping([&](const Mapping& mapping) {
    count += mapping.begin < high && mapping.end > low;
  });
  return count;
}

bool Mapping::operator==(const Mapping& other) const {
  return begin == other.begin && end == other.end &&
         std::strcmp(access, other.access) == 0 && has_name == other.has_name;
}

size_t ReadMappings(Mapping* to, size_t capacity) {
  size_t count = 0;
  ForEachMapping([&](const Mapping& mapping) {
    if (count == capacity) std::abort();
    to[count++] = mapping;
  });
  return count;
}

size_t KeysLeft() {
  pthread_key_t keys[PTHREAD_KEYS_MAX];
  size_t count = 0;
  while (count < PTHREAD_KEYS_MAX &&
         pthread_key_create(&keys[count], nullptr) == 0) {
    ++count;
  }
  for (size_t i = 0; i < count; ++i) pthread_key_delete(keys[i]);
  return count;
}

MallocRoom::MallocRoom() : block_(std::malloc(32768)) {
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

MallocRoom::~MallocRoom() { std::free(block_); }

}  // namespace isolation
