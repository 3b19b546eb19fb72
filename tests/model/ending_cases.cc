// core/arena/ending.h: an arena P with children, the threads that end them, and
// those that look.
#include "core/arena/ending.h"
#include "core/arena/ledger.h"
#include "core/heap/tenancy.h"
#include "tests/model/cases.h"

namespace ALCOVE_CORE_NAMESPACE {

// No ledger here has more than one group.
void* Store::Take(size_t) { return nullptr; }

namespace {

using alcove_model::AwaitEnd;
using alcove_model::EndThread;
using alcove_model::Fork;
using alcove_model::Fresh;
using alcove_model::MayBeAlive;
using alcove_model::Name;
using alcove_model::Require;
using alcove_model::Scenario;
using alcove_model::Self;
using alcove_model::Size;
using alcove_model::Watch;
using alcove_model::Yield;
using platform::ThreadId;

constexpr Process kProcess = 100;
constexpr ArenaHandle kParent = MakeHandle(1, 1);
constexpr ArenaHandle ChildHandle(unsigned i) {
  return MakeHandle(2 + i, 2 + i);
}
constexpr unsigned kThreads = 2;  // that end or begin children
constexpr unsigned kChildren = 2;

// What there is of an arena here.
struct Object {
  Atomic<ArenaHandle> handle;
  Atomic<ArenaHandle> parent_handle;
  Atomic<uint32_t> children;
  // Its blocks and quota: written to by its end, and read for each child's.
  uint64_t data;
  uint32_t ended;  // how often
};

struct LedgerHeap {
  Ledger ledger;
  LeftBehind left;
};

struct World {
  Object parent;
  Object children[kChildren];
  Tenancy heaps[kThreads];                 // the first threads' own
  unsigned children_there, threads_there;  // the others are not looked at
  Atomic<uint32_t> homeless_ending;
  Atomic<uint32_t> go;
  Process process;
  bool has_heap;
  bool is_beside;  // whether P is of another process in this memory
  // Of an arena's heap, for those who look.
  LedgerHeap heap;
  uint64_t descriptor;  // of a span in its ledger
  Atomic<ArenaHandle> looked_at;
  bool created[kChildren];
};
Fresh<World> world;

ThreadId IdOf(unsigned thread) { return thread + 1; }
Atomic<uint64_t>* EndingOf(unsigned thread) {
  return world->has_heap ? &world->heaps[thread].ending : nullptr;
}

// ---- What Arenas does, in short ----

void FinishChild(Object* child) {
  ++child->data;
  ++child->ended;
  Require(world->parent.data == 0, "a child ends after its parent");
  UncountChild(&world->parent.children);
}

bool SomebodyEnds() {
  if (world->homeless_ending.Load(Order::kAcquire) != 0) return true;
  for (unsigned t = 0; t < world->threads_there; ++t) {
    if (world->heaps[t].Ends(
            kParent, IdOf(Self()), world->process,
            [](ThreadId id) { return MayBeAlive(id - 1); },
            [](ThreadId id) {
              return world->is_beside && MayBeAlive(id - 1);
            })) {
      return true;
    }
  }
  return false;
}

uint32_t EndThose() {
  uint32_t ended = 0;
  for (unsigned i = 0; i < world->children_there; ++i) {
    Object& child = world->children[i];
    if (TakeChild(&child.handle, child.parent_handle, kParent) == 0) continue;
    FinishChild(&child);
    ++ended;
  }
  return ended;
}

void EndParent() {
  if (!TakeHandle(&world->parent.handle, kParent)) EndThread();
  if (HasChildren(world->parent.children))
    AwaitChildren(&world->parent.children, 1, EndThose, SomebodyEnds, Yield);
  ++world->parent.data;
  ++world->parent.ended;
}

template <unsigned i>
void EndOneChild() {
  Object* const child = &world->children[i];
  if (child->handle.Load(Order::kRelaxed) != ChildHandle(i)) EndThread();
  const Ending ending(EndingOf(Self()), kParent, &world->homeless_ending);
  if (!TakeHandle(&child->handle, ChildHandle(i))) EndThread();
  FinishChild(child);
}

template <unsigned i>
void CreateChild() {
  const Ending beginning(EndingOf(Self()), kParent, &world->homeless_ending);
  if (!CountChild(&world->parent.children, world->parent.handle, kParent))
    EndThread();  // stops
  Object* const child = &world->children[i];
  child->data = 0;
  child->parent_handle.Store(kParent, Order::kRelaxed);
  world->created[i] = true;
  child->handle.Store(ChildHandle(i), Order::kRelease);
}

// ---- Before and after ----

void SetUp(unsigned children, unsigned children_there, unsigned threads) {
  world.Reset();
  world->process = kProcess;
  world->has_heap = true;
  world->children_there = children_there;
  world->threads_there = threads;
  for (unsigned t = 0; t < kThreads; ++t)
    world->heaps[t].Begin(IdOf(t), kProcess);
  world->parent.handle.Store(kParent, Order::kRelaxed);
  world->parent.children.Store(children, Order::kRelaxed);
  for (unsigned i = 0; i < children; ++i) {
    world->children[i].handle.Store(ChildHandle(i), Order::kRelaxed);
    world->children[i].parent_handle.Store(kParent, Order::kRelaxed);
    world->created[i] = true;
  }
  Name(&world->parent.handle, "parent.handle");
  Name(&world->parent.children, "parent.children");
  Name(&world->children[0].handle, "child.handle");
  Name(&world->children[0].parent_handle, "child.parent_handle");
  Name(&world->children[1].handle, "child 2.handle");
  Name(&world->children[1].parent_handle, "child 2.parent_handle");
  Name(&world->homeless_ending, "homeless_ending");
  Name(&world->go, "go");
  static const char* const kNames[] = {"heap of A", "heap of B"};
  static const char* const kEnding[] = {"ending of A", "ending of B"};
  for (unsigned t = 0; t < kThreads; ++t) {
    Name(&world->heaps[t], kNames[t]);
    Name(&world->heaps[t].ending, kEnding[t]);
  }
  Watch(&world->descriptor, sizeof(uint64_t), "descriptor");
  Watch(&world->parent.data, sizeof(uint64_t), "parent.data");
  Watch(&world->children[0].data, sizeof(uint64_t), "child.data");
  Watch(&world->children[1].data, sizeof(uint64_t), "child 2.data");
}
void NoChild() { SetUp(0, 1, 1); }
void OneChild() { SetUp(1, 1, 1); }
void OneChildTwoThreads() { SetUp(1, 1, 2); }
void OneChildOfTwo() { SetUp(1, 2, 2); }
void TwoChildren() { SetUp(2, 2, 2); }
void OneChildBeside() {
  OneChild();
  world->process = kProcess + 1;
  world->is_beside = true;
}
void OneChildOfHomeless() {
  SetUp(1, 1, 0);
  world->has_heap = false;
}

// The parent has ended, and each child that was created, once.
void AllHaveEnded() {
  Require(world->parent.ended == 1, "the parent has not ended");
  for (unsigned i = 0; i < kChildren; ++i) {
    Require(world->children[i].ended == (world->created[i] ? 1u : 0u),
            "a child has not ended, or twice");
  }
  Require(world->parent.children.Own() == 0, "it still counts children");
}

// The same where a thread may have been stopped while it ended or made one.
void TheParentHasEnded() {
  Require(world->parent.ended == 1, "the parent has not ended");
  for (const Object& child : world->children) {
    Require(child.ended <= 1, "a child has ended twice");
    Require(child.handle.Own() == 0, "a child outlives its parent");
  }
}

const Scenario kTwoEnds = {"two threads end the same arena",
                           NoChild,
                           {{"A", EndParent}, {"B", EndParent}},
                           AllHaveEnded};

const Scenario kParentAndChild = {
    "a child is ended by one thread, and its parent by another",
    OneChild,
    {{"A", EndOneChild<0>}, {"P", EndParent}},
    AllHaveEnded};

const Scenario kHomeless = {
    "a child is ended by a thread without a heap, and its parent by another",
    OneChildOfHomeless,
    {{"A", EndOneChild<0>}, {"P", EndParent}},
    AllHaveEnded};

const Scenario kBeside = {
    "a child is ended in one process, and its parent in another that shares "
    "memory",
    OneChildBeside,
    {{"A", EndOneChild<0>}, {"P", EndParent}},
    AllHaveEnded};

const Scenario kBesideStopped = {
    "who ends a child in a process that shares memory is stopped at any step",
    OneChildBeside,
    {{"A", EndOneChild<0>, true}, {"P", EndParent}},
    TheParentHasEnded};

const Scenario kParentAndChildTwice = {
    "a child is ended by two threads, and its parent by a third one",
    OneChildTwoThreads,
    {{"A", EndOneChild<0>}, {"B", EndOneChild<0>}, {"P", EndParent}},
    AllHaveEnded,
    0,
    Size::kNotMutated};

const Scenario kTwoChildrenFirst = {
    "two threads end a child each, and then one of them the parent",
    TwoChildren,
    {{"A", EndOneChild<0>},
     {"B",
      [] {
        EndOneChild<1>();
        AwaitEnd(0);
        Require(!HasChildren(world->parent.children), "it counts wrong");
        EndParent();
      }}},
    AllHaveEnded};

const Scenario kTwoChildren = {
    "two threads end a child each, and a third one the parent",
    TwoChildren,
    {{"A", EndOneChild<0>}, {"B", EndOneChild<1>}, {"P", EndParent}},
    AllHaveEnded,
    0,
    Size::kLong};

const Scenario kCreation = {"a child is made while its parent is ended",
                            NoChild,
                            {{"A", CreateChild<0>}, {"P", EndParent}},
                            [] {
                              // One that stopped stays counted.
                              world->parent.children.Store(0, Order::kRelaxed);
                              AllHaveEnded();
                            }};

const Scenario kCreations = {
    "a child is made and another one ended while their parent is",
    OneChildOfTwo,
    {{"A", CreateChild<1>}, {"B", EndOneChild<0>}, {"P", EndParent}},
    [] {
      world->parent.children.Store(0, Order::kRelaxed);
      AllHaveEnded();
    },
    0,
    Size::kLong};

const Scenario kEnderStopped = {
    "who ends a child is stopped at any step; who ends the parent gets through",
    OneChild,
    {{"A", EndOneChild<0>, true}, {"P", EndParent}},
    TheParentHasEnded};

// The heir lives, and ends nothing.
void AdoptHeapOfFirst() {
  world->heaps[0].TakeOver(IdOf(2), kProcess,
                           [](ThreadId id) { return MayBeAlive(id - 1); });
  AwaitEnd(1);
}

const Scenario kEnderAdoptedMeanwhile = {
    "who ends a child is stopped, and the heap adopted, while the parent ends",
    OneChild,
    {{"A", EndOneChild<0>, true},
     {"P", EndParent},
     {"heir",
      [] {
        AwaitEnd(0);
        AdoptHeapOfFirst();
      }}},
    TheParentHasEnded,
    1,
    Size::kNotMutated};

const Scenario kEnderAdopted = {
    "who ends a child is stopped, and the heap adopted, and then the parent "
    "ends",
    OneChild,
    {{"A", EndOneChild<0>, true},
     {"P",
      [] {
        if (world->go.Load(Order::kRelaxed) != 0) EndParent();
      }},
     {"heir",
      [] {
        AwaitEnd(0);
        world->go.Store(1, Order::kRelaxed);
        AdoptHeapOfFirst();
      }}},
    [] {
      // Or it was told nothing.
      if (world->parent.handle.Own() == 0) TheParentHasEnded();
    }};

const Scenario kCreatorStopped = {
    "who makes a child is stopped at any step",
    NoChild,
    {{"A", CreateChild<0>, true}, {"P", EndParent}},
    TheParentHasEnded};

const Scenario kForkedEnder = {
    "a child of fork ends the parent of what others were just ending",
    TwoChildren,
    {{"A", EndOneChild<0>},
     {"B", EndOneChild<1>},
     {"P",
      [] {
        Fork();
        world->process = kProcess + 1;
        EndParent();
      }}},
    TheParentHasEnded};

// ---- Statistics ----

constexpr uint64_t kOld = 5;
constexpr uint64_t kNew = 6;

// A heap that was left behind joins the next arena in its object, as in
// Arenas::HeapFor; who looks at that one finds nothing of the former.
const Scenario kLooks = {
    "statistics look at an arena while a heap joins that was left behind",
    [] {
      NoChild();
      Name(&world->looked_at, "arena.handle");
      Name(&world->heap.left, "heap.left_");
      Store no_store;
      Stack<LedgerGroup> no_spare;
      Ledger& ledger = world->heap.ledger;
      for (int i = 0; i < 2; ++i) {
        ledger.Write(ledger.Find(&no_store, &no_spare),
                     reinterpret_cast<void*>(uintptr_t{1} << 20), kOld);
      }
    },
    {{"ender",
      [] {
        world->heap.left.Set();
        world->looked_at.Store(kParent, Order::kRelease);
      }},
     {"owner",
      [] {
        if (world->looked_at.Load(Order::kAcquire) == 0) return;
        Require(world->heap.left.Is(), "it does not know that it was left");
        Store no_store;
        Stack<LedgerGroup> spare;
        Ledger& ledger = world->heap.ledger;
        ledger.Clear(&spare);
        world->heap.left.Clear();
        world->descriptor = kNew;
        ledger.Write(ledger.Find(&no_store, &spare),
                     reinterpret_cast<void*>(uintptr_t{1} << 20), kNew);
      }},
     {"looks",
      [] {
        if (world->looked_at.Load(Order::kAcquire) == 0) return;
        if (world->heap.left.Is()) return;
        world->heap.ledger.ForEach([](LedgerEntry entry) {
          Require(entry.units() == kNew, "it finds what the former arena had");
          Require(world->descriptor == kNew, "it finds another descriptor");
        });
      }}},
    nullptr};

const alcove_model::Registration registration(
    {"ending",
     ALCOVE_MODEL_MUTANT,
     {kTwoEnds, kParentAndChild, kHomeless, kBeside, kBesideStopped,
      kParentAndChildTwice, kTwoChildrenFirst, kTwoChildren, kCreation,
      kCreations, kEnderStopped, kEnderAdoptedMeanwhile, kEnderAdopted,
      kCreatorStopped, kForkedEnder, kLooks}});

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
