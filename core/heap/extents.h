// Ordered sets of pairs of numbers that one thread at a time changes and any
// thread reads at any moment, without waiting for it.
//
// Balanced trees (treaps, their priorities a hash of what is in a node) of which
// a change replaces the nodes on its path instead of writing to them; one store
// publishes it. So who is stopped in the middle for good leaves the sets as they
// were before, and loses no more than the few nodes that were in hand. A reader
// whose nodes were replaced, and used again, meanwhile finds that the version is
// another one, and starts anew.
#ifndef ALCOVE_CORE_HEAP_EXTENTS_H_
#define ALCOVE_CORE_HEAP_EXTENTS_H_

#include "core/base/atomic.h"
#include "core/region/store.h"

namespace ALCOVE_CORE_NAMESPACE {

// Ordered by the first number, then by the second.
struct Pair {
  uint64_t first = 0;
  uint64_t second = 0;

  bool operator<(const Pair& other) const {
    return first != other.first ? first < other.first : second < other.second;
  }
  bool operator==(const Pair& other) const {
    return first == other.first && second == other.second;
  }
};

class Extents {
 public:
  static constexpr unsigned kSets = 4;

  constexpr Extents() = default;

  // ---- For any thread ----

  // The greatest pair of a set that is not greater than `bound`; false if there is
  // none.
  bool AtMost(unsigned set, Pair bound, Pair* found) const;

  // How often the sets were changed.
  uint64_t version() const { return version_.Load(Order::kAcquire); }

  // ---- For the one that changes them ----

  // Begins a change. False if memory is short, so that no more may be added to the
  // sets; what only takes away will do all the same.
  bool Begin(Store* store);
  // Whether nodes were so few then that what adds more than it takes away is to be
  // put off.
  bool scarce() const { return scarce_; }

  void Insert(unsigned set, Pair pair);
  void Erase(unsigned set, Pair pair);
  // The same questions, about the sets as they are by now.
  bool AtMostNow(unsigned set, Pair bound, Pair* found) const;
  bool AtLeastNow(unsigned set, Pair bound, Pair* found) const;

  // Publishes the change.
  void Commit();

  // Forgets everything; the store's memory goes with the store.
  void Reset();

 private:
  struct Node {
    Atomic<Node*> left;
    Atomic<Node*> right;
    Atomic<uint64_t> first;
    Atomic<uint64_t> second;
    uint64_t change;  // that made it; 0: none, it is free or about to be
    Node* next;       // in the list that it is in

    Pair pair() const {
      return {first.Load(Order::kRelaxed), second.Load(Order::kRelaxed)};
    }
    uint64_t Priority() const;
  };

  // What a change may take: some ten paths. A treap of 2^20 nodes is 60 deep with
  // no likelihood worth a name, and paths of a change share their upper parts.
  static constexpr size_t kSpareMin = 512;

  void Recycle(Node* node);
  Node* New();
  Node* Own(Node* node);
  void Drop(Node* node);
  Node* InsertInto(Node* tree, Node* node);
  void Split(Node* tree, Pair at, Node** less, Node** rest);
  Node* EraseFrom(Node* tree, Pair pair);
  Node* Merge(Node* less, Node* rest);
  static bool Find(const Node* tree, Pair bound, bool at_most, Pair* found);

  // Even versions are the first ones of these.
  Atomic<Node*> roots_[2][kSets] = {};
  mutable Atomic<uint64_t> version_;

  // Of the one that changes them.
  Node* now_[kSets] = {};
  uint64_t change_ = 0;
  Node* fresh_ = nullptr;    // made by this change
  Node* retired_ = nullptr;  // of the version before, not of the next one
  Node* free_ = nullptr;
  size_t spare_ = 0;  // how many are free, roughly
  bool scarce_ = false;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_EXTENTS_H_
