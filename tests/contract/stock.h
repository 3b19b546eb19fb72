// What a program holds when the system begins to refuse: blocks of all kinds,
// in arenas, too, each filled by its place, and calls of all kinds that go on
// meanwhile.
//
// It asks the process's malloc for nothing, so that it goes on where there is
// no memory at all, and ends the process with a line on standard error at the
// first thing that is not as it should be.
#ifndef TESTS_CONTRACT_STOCK_H_
#define TESTS_CONTRACT_STOCK_H_

#include <cstddef>
#include <cstdint>

#include "tests/contract/subject.h"

namespace contract {

// Ends the process with 1 and this line unless `good`.
void Require(bool good, const char* file, int line, const char* what);
#define REQUIRE(condition) \
  ::contract::Require(condition, __FILE__, __LINE__, #condition)

class Stock {
 public:
  // `stream`: which of the many random sequences.
  explicit Stock(uint64_t stream);
  Stock(const Stock&) = delete;
  Stock& operator=(const Stock&) = delete;

  // Makes so many calls: allocates, resizes and frees blocks, creates, resets
  // and destroys arenas, purges, detaches the thread. Each that is refused has
  // to leave everything as it was and say ENOMEM. Returns how many were refused
  // though no quota was in their way.
  size_t Work(size_t calls);

  // Looks at every block and count.
  void Verify() const;

  // Frees all; refused is never a reason not to.
  void Clear();

  // Those outside of arenas.
  size_t blocks() const;

 private:
  struct Block {
    unsigned char* p;  // null: the slot is free
    size_t size;
    uint64_t seed;
    unsigned arena;  // kArenas: in none
  };
  struct OneArena {
    subject::Arena* handle;  // null: the slot is free
    bool bounded;            // by a quota
  };

  static constexpr unsigned kBlocks = 96;
  // The first one is the parent of the others, and lives on.
  static constexpr unsigned kArenas = 5;

  uint64_t Next();
  size_t Below(size_t n) { return static_cast<size_t>(Next() % n); }
  size_t RandomSize();
  size_t RandomAlignment() { return size_t{1} << (3 + Below(15)); }
  bool Allocate(Block* block);
  bool Resize(Block* block);
  void Free(Block* block);
  size_t MoveAndClear();
  bool Create(unsigned which);
  void Drop(unsigned which);
  void End(unsigned which);
  // A call ended: what it says fits to whether it `served`.
  void Judge(bool served) const;

  uint64_t state_;
  bool sets_errno_;
  Block blocks_[kBlocks] = {};
  OneArena arenas_[kArenas] = {};
};

}  // namespace contract

#endif  // TESTS_CONTRACT_STOCK_H_
