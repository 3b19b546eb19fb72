// The process's address space at a moment, and what differs between two. Nothing
// here allocates: two looks differ by what happened between them alone.
#ifndef TESTS_COEXISTENCE_ADDRESS_SPACE_H_
#define TESTS_COEXISTENCE_ADDRESS_SPACE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "tests/isolation/process.h"

namespace coexistence {

struct Extent {
  uintptr_t begin;
  uintptr_t end;

  bool Overlaps(const Extent& other) const {
    return begin < other.end && other.begin < end;
  }
  bool Contains(const Extent& other) const {
    return begin <= other.begin && other.end <= end;
  }
  bool operator==(const Extent& other) const {
    return begin == other.begin && end == other.end;
  }
};

// Some addresses: extents in order that neither overlap nor touch.
class Extents {
 public:
  // Adds one that does not begin before the last one does.
  void Append(const Extent& extent);

  // What is here and not in `other`.
  Extents Without(const Extents& other) const;

  bool Overlaps(const Extent& extent) const;
  bool Contains(const Extent& extent) const;
  size_t bytes() const;
  size_t size() const { return size_; }
  const Extent* begin() const { return extents_.data(); }
  const Extent* end() const { return extents_.data() + size_; }
  bool operator==(const Extents& other) const;

 private:
  std::array<Extent, 1024> extents_;
  size_t size_ = 0;
};

// The kernel joins neighbours that are alike, also an instance's and others':
// so what came or went is told by the addresses and not by the lines.
class AddressSpace {
 public:
  AddressSpace()
      : count_(isolation::ReadMappings(mappings_.data(), mappings_.size())) {}

  Extents Mapped() const;

  const isolation::Mapping* begin() const { return mappings_.data(); }
  const isolation::Mapping* end() const { return mappings_.data() + count_; }
  bool operator==(const AddressSpace& other) const;

 private:
  std::array<isolation::Mapping, 1024> mappings_;
  size_t count_;
};

}  // namespace coexistence

#endif  // TESTS_COEXISTENCE_ADDRESS_SPACE_H_
