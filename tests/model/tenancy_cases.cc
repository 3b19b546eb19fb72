// core/heap/tenancy.h: one heap, and threads that want it.
#include "core/heap/tenancy.h"
#include "tests/model/cases.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

using alcove_model::AwaitEnd;
using alcove_model::Choose;
using alcove_model::Fork;
using alcove_model::Fresh;
using alcove_model::MayBeAlive;
using alcove_model::Name;
using alcove_model::Require;
using alcove_model::Scenario;
using alcove_model::Watch;
using platform::ThreadId;

constexpr Process kProcess = 100;

struct World {
  Tenancy tenancy;
  uint64_t heap[2];      // of one tenant at a time
  Atomic<uint32_t> is7;  // whether the kernel knows a thread of this id
  uint32_t uses[5];      // by each thread
};
Fresh<World> world;

void SetUp() {
  world.Reset();
  Name(&world->tenancy, "tenancy");
  Name(&world->tenancy.ending, "ending");
  Name(&world->is7, "kernel's thread 7");
  Watch(world->heap, sizeof(world->heap), "heap");
  world->is7.Store(1, Order::kRelaxed);
}
// The heap is that of the first thread, whose id is 7.
void IsTheFirstOnes() {
  SetUp();
  world->tenancy.Begin(7, kProcess);
}
void IsNobodys() {
  IsTheFirstOnes();
  world->tenancy.Leave();
}

// Of the first thread, and of others, which are there.
bool FirstMayBeAlive(ThreadId thread) { return thread != 7 || MayBeAlive(0); }
// Where there is a second thread of this id.
bool SevenMayBeAlive(ThreadId thread) {
  return thread != 7 || world->is7.Load(Order::kSeqCst) != 0;
}

// What a tenant does to its heap.
void Use() {
  ++world->uses[alcove_model::Self()];
  ++world->heap[0];
  ++world->heap[1];
}

template <ThreadId self, bool leave>
void Adopt() {
  if (!world->tenancy.TakeOver(self, kProcess, FirstMayBeAlive)) return;
  Use();
  if (leave) world->tenancy.Leave();
}

template <ThreadId self>
void CleanUp() {
  bool died;
  if (!world->tenancy.TakeIfDead(self, kProcess, FirstMayBeAlive, &died))
    return;
  Use();
  world->tenancy.Leave();
}

// Each use is there: nobody wrote over another one's.
void EachUseIsThere() {
  uint32_t uses = 0;
  for (const uint32_t one : world->uses) uses += one;
  Require(world->heap[0] == uses, "two had the heap at once");
}

const Scenario kTwoAtOnce = {
    "two threads adopt a heap that is nobody's",
    IsNobodys,
    {{"-", [] {}}, {"X", Adopt<8, false>}, {"Y", Adopt<9, false>}},
    [] {
      EachUseIsThere();
      Require(world->uses[1] + world->uses[2] == 1, "not one of them has it");
    }};

const Scenario kHandedBack = {
    "two threads adopt a heap while a third one hands it back",
    IsTheFirstOnes,
    {{"first",
      [] {
        Use();
        world->tenancy.Leave();
      }},
     {"X", Adopt<8, true>},
     {"Y", Adopt<9, false>}},
    EachUseIsThere};

const Scenario kDied = {
    "two threads adopt the heap of one that is stopped at any step",
    IsTheFirstOnes,
    {{"first", Use, true}, {"X", Adopt<8, true>}, {"Y", Adopt<9, false>}},
    [] {
      // Its last use may be half done.
      if (!alcove_model::WasStopped(0)) EachUseIsThere();
    }};

const Scenario kCleanedUp = {
    "a thread cleans a heap up that another one adopts, and its thread is gone",
    IsTheFirstOnes,
    {{"first", Use, true},
     {"X", Adopt<8, false>},
     {"cleaner", CleanUp<9>},
     {"cleaner 2", CleanUp<10>}},
    [] {
      if (!alcove_model::WasStopped(0)) EachUseIsThere();
    }};

// While X asks for the first thread, one is born that has its id.
const Scenario kNamesake = {
    "a thread adopts a heap while one with its tenant's id is born",
    IsTheFirstOnes,
    {{"first",
      [] {
        Use();
        world->is7.Store(0, Order::kSeqCst);
      }},
     {"namesake",
      [] {
        AwaitEnd(0);
        world->is7.Store(1, Order::kSeqCst);
        if (!world->tenancy.TakeOver(7, kProcess, SevenMayBeAlive)) return;
        Use();
        Use();
      }},
     {"X",
      [] {
        if (world->tenancy.TakeOver(8, kProcess, SevenMayBeAlive)) Use();
      }}},
    EachUseIsThere};

// It came by the heap for the second time, and so does the namesake.
const Scenario kNamesakeOfGuest = {
    "a thread adopts a heap that goes from its tenant to a namesake of that",
    [] {
      IsNobodys();
      world->tenancy.TakeOver(7, kProcess, SevenMayBeAlive);
    },
    {{"first",
      [] {
        Use();
        world->tenancy.Leave();
        world->is7.Store(0, Order::kSeqCst);
      }},
     {"namesake",
      [] {
        AwaitEnd(0);
        world->is7.Store(1, Order::kSeqCst);
        if (!world->tenancy.TakeOver(7, kProcess, SevenMayBeAlive)) return;
        Use();
        Use();
      }},
     {"X",
      [] {
        if (world->tenancy.TakeOver(8, kProcess, SevenMayBeAlive)) Use();
      }}},
    EachUseIsThere};

const Scenario kNamesakeCleansUp = {
    "a thread adopts a heap that a namesake of its tenant cleans up",
    IsTheFirstOnes,
    {{"first",
      [] {
        Use();
        world->is7.Store(0, Order::kSeqCst);
      }},
     {"namesake",
      [] {
        AwaitEnd(0);
        world->is7.Store(1, Order::kSeqCst);
        if (!world->tenancy.TakeFromNamesake(7, kProcess)) return;
        Use();
        world->tenancy.Leave();
      }},
     {"X",
      [] {
        if (world->tenancy.TakeOver(8, kProcess, SevenMayBeAlive)) Use();
      }}},
    EachUseIsThere};

// In the child, ids of the parent's threads mean nothing: they can be anybody's.
const Scenario kForked = {
    "a child of fork takes no heap that a thread of its parent had",
    IsNobodys,
    {{"first",
      [] {
        if (!world->tenancy.TakeOver(7, kProcess, FirstMayBeAlive)) return;
        Use();
        world->tenancy.Leave();
      }},
     {"X", Adopt<8, false>},
     {"forker",
      [] {
        Fork();
        constexpr Process kChild = 200;
        const ThreadId self = Choose(2, "which id it has") == 0 ? 7 : 9;
        const auto any = [](ThreadId) {
          return Choose(2, "what the kernel says of a stranger") != 0;
        };
        const bool had = world->tenancy.thread() != 0;
        bool died;
        bool taken = false;
        switch (Choose(3, "how it tries to take it")) {
          case 0:
            taken = world->tenancy.TakeOver(self, kChild, any);
            break;
          case 1:
            taken = world->tenancy.TakeIfDead(self, kChild, any, &died);
            break;
          default:
            taken = world->tenancy.TakeFromNamesake(self, kChild);
        }
        Require(!(had && taken), "it took another one's heap");
        Require(world->tenancy.thread() == 0 || had || taken, "whose is it");
      }}},
    nullptr};

// In the child there is the thread that forked, and one that it has started. Whose heap
// that was it says before it says that the others' are there to be taken.
constexpr Process kChildOf = Process{1} << 32 | 200;
Fresh<Atomic<uint32_t>> settled;

const Scenario kSettles = {
    "who forked goes on with its heap, and nobody takes it",
    [] {
      IsTheFirstOnes();
      settled.Reset();
      Name(&*settled, "settled");
    },
    {{"forker",
      [] {
        world->tenancy.Renew(9, kChildOf);
        settled->Store(1, Order::kRelease);
        Use();
      }},
     {"other",
      [] {
        const auto any = [](ThreadId thread) {
          return thread == 9 || Choose(2, "what the kernel says") != 0;
        };
        const ThreadId self = Choose(2, "which id it has") == 0 ? 7 : 8;
        const bool may = settled->Load(Order::kAcquire) != 0;
        bool died;
        const bool taken =
            Choose(2, "how it tries to take it") == 0
                ? world->tenancy.TakeOver(self, kChildOf, any, may)
                : world->tenancy.TakeIfDead(self, kChildOf, any, &died, may);
        Require(!taken, "it took the heap of the thread that forked");
      }}},
    [] { Require(world->tenancy.thread() == 9, "whose is it"); }};

const Scenario kSettled = {
    "one heap of an ancestor's thread, and threads of the child that want it",
    IsTheFirstOnes,
    {{"X",
      [] {
        const auto any = [](ThreadId thread) {
          return thread == 8 ? MayBeAlive(1)
                             : Choose(2, "what the kernel says") != 0;
        };
        if (world->tenancy.TakeOver(7, kChildOf, any, true)) Use();
      }},
     {"Y",
      [] {
        bool died;
        const auto nobody = [](ThreadId) { return true; };
        if (!world->tenancy.TakeIfDead(8, kChildOf, nobody, &died, true))
          return;
        Use();
        world->tenancy.Leave();
      }}},
    [] {
      EachUseIsThere();
      Require(world->uses[0] + world->uses[1] != 0, "it is there to be taken");
    }};

const alcove_model::Registration registration(
    {"tenancy",
     ALCOVE_MODEL_MUTANT,
     {kTwoAtOnce, kHandedBack, kDied, kCleanedUp, kNamesake, kNamesakeOfGuest,
      kNamesakeCleansUp, kForked, kSettles, kSettled}});

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
