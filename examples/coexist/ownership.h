// Which instance owns which address, asked while the blocks are alive: each
// must be owned by the instance that it came from and by no other, and malloc's
// by none. (jemalloc is not asked: its arenas.lookup crashes for addresses it
// has never seen.)
#ifndef EXAMPLES_COEXIST_OWNERSHIP_H_
#define EXAMPLES_COEXIST_OWNERSHIP_H_

#include <array>
#include <atomic>
#include <cstdint>

namespace coexist {

// The allocators of this process, in the order of Heaps().
enum class Owner { kMalloc, kWords, kCatalog, kReport };
inline constexpr int kOwners = 4;

class Ownership {
 public:
  // Asks every instance about the address of a live block that came from
  // `from`. By any thread.
  void Sample(Owner from, const void* address);

  // How many of the addresses from the `from`th allocator the `by`th, an
  // instance, owned.
  uint64_t owned(int from, int by) const { return owned_[from][by]; }
  uint64_t sampled(int from) const { return sampled_[from]; }

  // Whether every answer was right, and there was one for each allocator.
  bool Exclusive() const;

 private:
  std::array<std::array<std::atomic<uint64_t>, kOwners>, kOwners> owned_ = {};
  std::array<std::atomic<uint64_t>, kOwners> sampled_ = {};
};

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_OWNERSHIP_H_
