// Uses up the mappings that the system lets a process have.
#ifndef ALCOVE_TESTS_PLATFORM_CROWD_H_
#define ALCOVE_TESTS_PLATFORM_CROWD_H_

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

namespace alcove_tests {

// All but a few of them, for as long as it lives. It allocates nothing.
class Crowd {
 public:
  // Whether there are so few that it does not take long.
  static bool IsPossible() { return Max() <= kMost; }
  static constexpr char kImpossible[] =
      "vm.max_map_count lets a process have so many mappings that using them "
      "up would take too long";

  explicit Crowd(size_t spare)
      : at_(static_cast<char*>(mmap(nullptr, kSize, PROT_NONE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                                    -1, 0))) {
    if (at_ == MAP_FAILED) return;
    // Each page that differs from its neighbours makes two mappings more.
    size_t page = 1;
    while (page < kPages &&
           mprotect(at_ + page * kPage, kPage, PROT_READ) == 0) {
      page += 2;
    }
    good_ = page > 2 * spare && page < kPages;
    for (; good_ && spare >= 2; spare -= 2) {
      page -= 2;
      good_ = mprotect(at_ + page * kPage, kPage, PROT_NONE) == 0;
    }
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() {
    if (at_ != MAP_FAILED) munmap(at_, kSize);
  }

  // Whether no more than `spare`, give or take one, are left.
  bool good() const { return good_; }

 private:
  static constexpr size_t kMost = 300000;
  static constexpr size_t kPage = 4096;
  static constexpr size_t kPages = kMost + 1000;
  static constexpr size_t kSize = kPages * kPage;

  static size_t Max() {
    FILE* const file = fopen("/proc/sys/vm/max_map_count", "re");
    size_t max = SIZE_MAX;
    if (file == nullptr) return max;
    if (fscanf(file, "%zu", &max) != 1) max = SIZE_MAX;
    fclose(file);
    return max;
  }

  char* const at_;
  bool good_ = false;
};

}  // namespace alcove_tests

#endif  // ALCOVE_TESTS_PLATFORM_CROWD_H_
