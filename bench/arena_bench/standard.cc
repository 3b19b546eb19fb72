// The resources of the C++ library, and the loops without any.
#include <memory_resource>
#include <string>
#include <vector>

#include "bench/arena_bench/contender.h"

namespace bench {

namespace {

// Created as by default: memory by new and delete, the library's first size.
template <typename Resource>
class StandardHeap {
 public:
  static constexpr bool kOfOneThread = true;
  void* Allocate(size_t size) { return disguised_->allocate(size); }

 private:
  Resource resource_;
  std::pmr::memory_resource* const disguised_ = Disguised(&resource_);
};

// Where the compiler knows the class, which no container does.
class InlinedMonotonic {
 public:
  static constexpr bool kOfOneThread = true;
  void* Allocate(size_t size) { return resource_.allocate(size); }

 private:
  std::pmr::monotonic_buffer_resource resource_;
};

class Nothing {
 public:
  static constexpr bool kOfOneThread = true;
  void* Allocate(size_t) { return block_; }

 private:
  size_t block_[2];
};

}  // namespace

std::vector<Contender> StandardContenders() {
  const auto column = [](const char* name, bool aside) {
    Column column;
    column.name = name;
    column.version = "libstdc++ " + std::to_string(_GLIBCXX_RELEASE);
    column.aside = aside;
    return column;
  };
  Column empty = column("empty", true);
  empty.version = "the loops and clock readings alone";
  return {
      {Kind::kGeneral,
       RunCycles<StandardHeap<std::pmr::unsynchronized_pool_resource>>,
       column("pmr pool", true)},
      {Kind::kMonotonic,
       RunCycles<StandardHeap<std::pmr::monotonic_buffer_resource>>,
       column("pmr monotonic", false)},
      {Kind::kMonotonic, RunCycles<InlinedMonotonic>,
       column("pmr monotonic, inlined", true)},
      {Kind::kGeneral, RunCycles<Nothing>, empty},
      {Kind::kMonotonic, RunCycles<Nothing>, empty},
  };
}

}  // namespace bench
