#include "core/heap/extents.h"

#include "core/base/line.h"
#include "core/base/new.h"
#include "core/hardening/secret.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

constexpr size_t kNodesChunk =
    8192;  // bytes: the most that a store gives at once

// No path is longer than this in a tree that is not being changed meanwhile.
constexpr unsigned kDepthMax = 1024;

}  // namespace

uint64_t Extents::Node::Priority() const {
  const Pair p = pair();
  return Mix(p.first + p.second * 0x9e3779b97f4a7c15);
}

ALCOVE_COLD bool Extents::Find(const Node* tree, Pair bound, bool at_most,
                               Pair* found) {
  bool any = false;
  for (unsigned depth = 0; tree != nullptr && depth < kDepthMax; ++depth) {
    const Pair here = tree->pair();
    if (at_most ? !(bound < here) : !(here < bound)) {
      any = true;
      *found = here;
    }
    if (here == bound) break;
    tree = (here < bound ? tree->right : tree->left).Load(Order::kRelaxed);
  }
  return any;
}

ALCOVE_COLD bool Extents::AtMost(unsigned set, Pair bound, Pair* found) const {
  for (;;) {
    const uint64_t version = version_.Load(Order::kAcquire);
    const bool any = Find(roots_[version & 1][set].Load(Order::kRelaxed), bound,
                          true, found);
    // An exchange, so that no look at a node comes after it.
    if (version_.FetchAdd(0, Order::kAcqRel) == version) return any;
  }
}

ALCOVE_COLD bool Extents::Begin(Store* store) {
  const uint64_t version = version_.Load(Order::kRelaxed);
  for (unsigned set = 0; set < kSets; ++set)
    now_[set] = roots_[version & 1][set].Load(Order::kRelaxed);
  // What one who was stopped had made or retired is lost.
  fresh_ = nullptr;
  retired_ = nullptr;
  ++change_;
  scarce_ = false;
  while (spare_ < kSpareMin) {
    auto* const nodes = static_cast<char*>(store->Take(kNodesChunk));
    scarce_ = nodes == nullptr && spare_ < kSpareMin / 2;
    if (nodes == nullptr) return false;
    for (size_t at = 0; at + sizeof(Node) <= kNodesChunk; at += sizeof(Node)) {
      Recycle(Construct<Node>(nodes + at));
    }
  }
  return true;
}

ALCOVE_COLD void Extents::Recycle(Node* node) {
  node->next = free_;
  KeepOrder();
  free_ = node;
  ++spare_;
}

ALCOVE_COLD Extents::Node* Extents::New() {
  Node* const node = free_;
  if (ALCOVE_UNLIKELY(node == nullptr))
    TextLine().Text("no nodes are left for parts of blocks").Stop();
  free_ = node->next;
  KeepOrder();
  if (spare_ != 0) --spare_;
  node->change = change_;
  node->next = fresh_;
  fresh_ = node;
  return node;
}

// The node, if this change made it, or a copy of it in its place.
ALCOVE_COLD Extents::Node* Extents::Own(Node* node) {
  if (node->change == change_) return node;
  Node* const copy = New();
  copy->left.Store(node->left.Load(Order::kRelaxed), Order::kRelaxed);
  copy->right.Store(node->right.Load(Order::kRelaxed), Order::kRelaxed);
  const Pair pair = node->pair();
  copy->first.Store(pair.first, Order::kRelaxed);
  copy->second.Store(pair.second, Order::kRelaxed);
  Drop(node);
  return copy;
}

ALCOVE_COLD void Extents::Drop(Node* node) {
  if (node->change == change_) {
    node->change = 0;  // it stays in its list
    return;
  }
  node->next = retired_;
  retired_ = node;
}

// Into those less than `at` and the rest.
ALCOVE_COLD void Extents::Split(Node* tree, Pair at, Node** less, Node** rest) {
  if (tree == nullptr) {
    *less = nullptr;
    *rest = nullptr;
    return;
  }
  tree = Own(tree);
  Node* between;
  if (tree->pair() < at) {
    Split(tree->right.Load(Order::kRelaxed), at, &between, rest);
    tree->right.Store(between, Order::kRelaxed);
    *less = tree;
  } else {
    Split(tree->left.Load(Order::kRelaxed), at, less, &between);
    tree->left.Store(between, Order::kRelaxed);
    *rest = tree;
  }
}

ALCOVE_COLD Extents::Node* Extents::InsertInto(Node* tree, Node* node) {
  if (tree == nullptr || node->Priority() > tree->Priority()) {
    Node* less;
    Node* rest;
    Split(tree, node->pair(), &less, &rest);
    node->left.Store(less, Order::kRelaxed);
    node->right.Store(rest, Order::kRelaxed);
    return node;
  }
  tree = Own(tree);
  Atomic<Node*>& side = node->pair() < tree->pair() ? tree->left : tree->right;
  side.Store(InsertInto(side.Load(Order::kRelaxed), node), Order::kRelaxed);
  return tree;
}

ALCOVE_COLD void Extents::Insert(unsigned set, Pair pair) {
  Node* const node = New();
  node->first.Store(pair.first, Order::kRelaxed);
  node->second.Store(pair.second, Order::kRelaxed);
  now_[set] = InsertInto(now_[set], node);
}

// All of `less` are less than all of `rest`.
ALCOVE_COLD Extents::Node* Extents::Merge(Node* less, Node* rest) {
  if (less == nullptr) return rest;
  if (rest == nullptr) return less;
  if (less->Priority() > rest->Priority()) {
    less = Own(less);
    less->right.Store(Merge(less->right.Load(Order::kRelaxed), rest),
                      Order::kRelaxed);
    return less;
  }
  rest = Own(rest);
  rest->left.Store(Merge(less, rest->left.Load(Order::kRelaxed)),
                   Order::kRelaxed);
  return rest;
}

ALCOVE_COLD Extents::Node* Extents::EraseFrom(Node* tree, Pair pair) {
  if (tree == nullptr) return nullptr;
  if (tree->pair() == pair) {
    Node* const less = tree->left.Load(Order::kRelaxed);
    Node* const rest = tree->right.Load(Order::kRelaxed);
    Drop(tree);
    return Merge(less, rest);
  }
  tree = Own(tree);
  Atomic<Node*>& side = pair < tree->pair() ? tree->left : tree->right;
  side.Store(EraseFrom(side.Load(Order::kRelaxed), pair), Order::kRelaxed);
  return tree;
}

ALCOVE_COLD void Extents::Erase(unsigned set, Pair pair) {
  now_[set] = EraseFrom(now_[set], pair);
}

ALCOVE_COLD bool Extents::AtMostNow(unsigned set, Pair bound,
                                    Pair* found) const {
  return Find(now_[set], bound, true, found);
}

ALCOVE_COLD bool Extents::AtLeastNow(unsigned set, Pair bound,
                                     Pair* found) const {
  return Find(now_[set], bound, false, found);
}

ALCOVE_COLD void Extents::Commit() {
  const uint64_t version = version_.Load(Order::kRelaxed) + 1;
  for (unsigned set = 0; set < kSets; ++set)
    roots_[version & 1][set].Store(now_[set], Order::kRelaxed);
  // An exchange, so that no node is used again before it.
  version_.Exchange(version, Order::kAcqRel);
  for (Node *node = fresh_, *next; node != nullptr; node = next) {
    next = node->next;
    if (node->change != change_) Recycle(node);
  }
  for (Node *node = retired_, *next; node != nullptr; node = next) {
    next = node->next;
    Recycle(node);
  }
  fresh_ = nullptr;
  retired_ = nullptr;
}

ALCOVE_COLD void Extents::Reset() {
  for (auto& roots : roots_) {
    for (Atomic<Node*>& root : roots) root.Store(nullptr, Order::kRelaxed);
  }
  version_.Store(0, Order::kRelaxed);
  for (Node*& root : now_) root = nullptr;
  fresh_ = nullptr;
  retired_ = nullptr;
  free_ = nullptr;
  spare_ = 0;
}

}  // namespace ALCOVE_CORE_NAMESPACE
