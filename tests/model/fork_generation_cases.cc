// core/base/fork_generation.h: the threads of a process, and one that forks.
#include "core/base/fork_generation.h"
#include "tests/model/cases.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

using alcove_model::Fork;
using alcove_model::Fresh;
using alcove_model::Name;
using alcove_model::Require;
using alcove_model::Scenario;

struct World {
  ForkGeneration generation;
  Atomic<uint32_t> page;
  Atomic<uint32_t> heap;  // the generation that is written into one, or 0
};
Fresh<World> world;

// A process that was just forked by one of generation 0.
void SetUp() {
  world.Reset();
  Name(&world->page, "page");
  Name(&world->heap, "heap");
}

// Takes a heap, which bears the process's mark then.
void Work() {
  const uint32_t generation = world->generation.GenerationBy(&world->page);
  Require(generation == 1, "it is one fork away");
  world->heap.Store(generation, Order::kRelease);
}

// In the child it goes on in, whose page the system has wiped.
void ForkAndLook() {
  Fork();
  world->page.Store(0, Order::kRelaxed);
  const uint32_t heaps = world->heap.Load(Order::kRelaxed);
  const uint32_t generation = world->generation.GenerationBy(&world->page);
  Require(generation != 0, "the grandparent is met again");
  Require(generation != heaps, "a heap of the parent's passes for its own");
  Require(world->generation.GenerationBy(&world->page) == generation,
          "it stays what it is");
}

const Scenario kAgree = {"threads of one process agree, whoever is first",
                         SetUp,
                         {{"A", Work}, {"B", Work}, {"C", Work}},
                         nullptr};

const Scenario kForks = {"a child has no generation that was gone by before",
                         SetUp,
                         {{"A", Work}, {"B", Work}, {"forker", ForkAndLook}},
                         nullptr};

const Scenario kWorksAndForks = {
    "nor the child of a thread that has gone by it itself",
    SetUp,
    {{"A", Work},
     {"forker",
      [] {
        Work();
        ForkAndLook();
      }}},
    nullptr};

const alcove_model::Registration registration(
    {"fork_generation", ALCOVE_MODEL_MUTANT, {kAgree, kForks, kWorksAndForks}});

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
