// Finding the owner of an address by reading: first where the instances' ranges
// are, of many at once, then what those span. Nothing holds still meanwhile: an
// instance that shuts down empties its list first and unmaps afterwards, so an
// answer counts only if, once it is found, the list has that range still, and
// the descriptor, which says where the list is, is still that one.
#include "registry/instances.h"

namespace alcove::registry {

namespace {

class Search {
 public:
  Search(Memory* memory, const alcove_instance_descriptor* stated,
         size_t stride, size_t count, uintptr_t address)
      : memory_(memory),
        stated_(reinterpret_cast<const char*>(stated)),
        stride_(stride),
        count_(count),
        address_(address),
        owner_(count) {}

  size_t Run() {
    size_t first = 0;
    while (first < count_ && owner_ == count_) {
      first = LookAtFirstRanges(first);
      LookAtWaiting();
    }
    return owner_;
  }

 private:
  // So many instances at once, and of each so many ranges, which is all that
  // most have.
  static constexpr size_t kInstances = 8;
  static constexpr size_t kRanges = 2;
  // The ranges of those that have more, at once.
  static constexpr size_t kMore = 8;
  // So many ranges at once, two numbers of each.
  static constexpr size_t kWaiting = Memory::kAtOnce / 2;
  static_assert(kInstances <= Memory::kAtOnce);

  struct Candidate {
    size_t instance;
    uintptr_t slot;  // where its list has the range
    uintptr_t range;
  };

  const alcove_instance_descriptor& Stated(size_t i) const {
    return *reinterpret_cast<const alcove_instance_descriptor*>(stated_ +
                                                                i * stride_);
  }

  // Returns the first instance that is left.
  size_t LookAtFirstRanges(size_t first) {
    size_t instances[kInstances];
    uintptr_t ranges[kInstances][kRanges] = {};
    size_t found = 0;
    {
      Stretch from[kInstances];
      Stretch to[kInstances];
      for (; first < count_ && found < kInstances; ++first) {
        const alcove_instance_descriptor& stated = Stated(first);
        if (stated.ranges == nullptr || stated.ranges_max == 0) continue;
        const size_t size =
            (stated.ranges_max < kRanges ? stated.ranges_max : kRanges) *
            sizeof(uintptr_t);
        from[found] = {const_cast<const void**>(stated.ranges), size};
        to[found] = {ranges[found], size};
        instances[found++] = first;
      }
      const uint32_t read = memory_->CopyAll(from, to, found);
      for (size_t i = 0; i < found; ++i) {
        if ((read >> i & 1) == 0) ranges[i][0] = 0;
      }
    }
    for (size_t i = 0; i < found; ++i) {
      if (Add(instances[i], 0, ranges[i], kRanges))
        LookAtMoreRanges(instances[i]);
    }
    return first;
  }

  void LookAtMoreRanges(size_t instance) {
    const alcove_instance_descriptor& stated = Stated(instance);
    uintptr_t ranges[kMore];
    for (size_t first = kRanges; first < stated.ranges_max; first += kMore) {
      const size_t left = stated.ranges_max - first;
      const size_t count = left < kMore ? left : kMore;
      if (!memory_->Copy(reinterpret_cast<uintptr_t>(stated.ranges + first),
                         ranges, count * sizeof(uintptr_t)) ||
          !Add(instance, first, ranges, count)) {
        return;
      }
    }
  }

  // Whether all of them are ranges, so that there may be more.
  bool Add(size_t instance, size_t first, const uintptr_t* ranges,
           size_t count) {
    const void* const* const slots = Stated(instance).ranges;
    for (size_t i = 0; i < count; ++i) {
      if (ranges[i] == 0) return false;
      if (waiting_count_ == kWaiting) LookAtWaiting();
      waiting_[waiting_count_++] = {
          instance, reinterpret_cast<uintptr_t>(slots + first + i), ranges[i]};
    }
    return true;
  }

  void LookAtWaiting() {
    struct {
      uintptr_t base;
      uint64_t units;
    } spans[kWaiting];
    uint32_t read;
    {
      Stretch from[Memory::kAtOnce];
      Stretch to[Memory::kAtOnce];
      for (size_t i = 0; i < waiting_count_; ++i) {
        const alcove_instance_descriptor& stated = Stated(waiting_[i].instance);
        const uintptr_t range = waiting_[i].range;
        from[2 * i] = {reinterpret_cast<void*>(range + stated.range_base), 8};
        to[2 * i] = {&spans[i].base, 8};
        from[2 * i + 1] = {reinterpret_cast<void*>(range + stated.range_units),
                           8};
        to[2 * i + 1] = {&spans[i].units, 8};
      }
      read = memory_->CopyAll(from, to, 2 * waiting_count_);
    }
    for (size_t i = 0; i < waiting_count_; ++i) {
      if ((read >> (2 * i) & 3) != 3) continue;
      const unsigned shift = Stated(waiting_[i].instance).unit_shift;
      if (spans[i].units > UINT64_MAX >> shift) continue;
      const uint64_t size = spans[i].units << shift;
      if (address_ - spans[i].base < size && IsStillSo(waiting_[i]))
        owner_ = waiting_[i].instance;
    }
    waiting_count_ = 0;
  }

  bool IsStillSo(const Candidate& candidate) {
    const alcove_instance_descriptor& stated = Stated(candidate.instance);
    struct {
      uint64_t magic;
      uint32_t struct_size;
      uint32_t layout;
      const void* self;
    } head;
    uintptr_t range;
    // In this order: a list that is still there after the descriptor was is
    // that one's.
    const Stretch from[] = {
        {const_cast<alcove_instance_descriptor*>(stated.self), sizeof(head)},
        {reinterpret_cast<void*>(candidate.slot), sizeof(range)}};
    const Stretch to[] = {{&head, sizeof(head)}, {&range, sizeof(range)}};
    return memory_->CopyAll(from, to, 2) == 3 && head.magic == stated.magic &&
           head.struct_size == stated.struct_size &&
           head.layout == stated.layout && head.self == stated.self &&
           range == candidate.range;
  }

  Memory* memory_;
  const char* stated_;
  size_t stride_;
  size_t count_;
  uintptr_t address_;
  size_t owner_;
  size_t waiting_count_ = 0;
  Candidate waiting_[kWaiting];
};

}  // namespace

size_t FindOwner(Memory* memory, const alcove_instance_descriptor* stated,
                 size_t stride, size_t count, uintptr_t address) {
  return Search(memory, stated, stride, count, address).Run();
}

}  // namespace alcove::registry
