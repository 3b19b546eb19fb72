// Binary trees: many that live shortly, of many depths, beside one that stays.
// Compilers and interpreters build such. Hans Boehm's GCBench, after Ellis and
// Kovac, made the pattern known; it is also the "binary-trees" of the
// Benchmarks Game.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

struct Node {
  Node* left;
  Node* right;
  uint32_t value;
};

Node* Make(unsigned depth, uint64_t* made) {
  auto* node = static_cast<Node*>(Allocate(sizeof(Node)));
  node->value = depth;
  node->left = depth == 0 ? nullptr : Make(depth - 1, made);
  node->right = depth == 0 ? nullptr : Make(depth - 1, made);
  ++*made;
  return node;
}

uint64_t Sum(const Node* node) {
  return node == nullptr ? 0 : node->value + Sum(node->left) + Sum(node->right);
}

void Drop(Node* node) {
  if (node == nullptr) return;
  Drop(node->left);
  Drop(node->right);
  std::free(node);
}

void Trees(Run& run, const Workload&) {
  constexpr unsigned kDeepest = 16;
  const size_t nodes_per_depth = run.Times(1000000);
  uint64_t made = 0;
  uint64_t sum = 0;
  run.Start();
  Node* lasting = Make(kDeepest, &made);
  for (unsigned depth = 4; depth <= kDeepest; depth += 3) {
    for (size_t n = nodes_per_depth >> (depth + 1); n > 0; --n) {
      Node* tree = Make(depth, &made);
      sum += Sum(tree);
      Drop(tree);
    }
  }
  sum += Sum(lasting);
  Drop(lasting);
  run.Stop(made);
  Use(&sum);
}

constexpr Workload kRows[] = {
    {"trees", "binary trees that live shortly beside one that stays", Trees},
};

}  // namespace

std::span<const Workload> TreesRows() { return kRows; }

}  // namespace bench
