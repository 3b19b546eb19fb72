// core/heap/combiner.h: threads that have work done, of which each piece is one bit
// of a word.
#include "core/heap/combiner.h"
#include "tests/model/cases.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

using alcove_model::AwaitEnd;
using alcove_model::Fork;
using alcove_model::Fresh;
using alcove_model::MayBeAlive;
using alcove_model::Name;
using alcove_model::Require;
using alcove_model::Scenario;
using alcove_model::Self;
using alcove_model::Size;
using alcove_model::Watch;

constexpr unsigned kThreads = 4;
constexpr uint64_t kOneVersion = 256;
constexpr uint64_t kStays = 30;  // the name of one that is never stopped
constexpr uint64_t kLost = 40;  // from here on, names of who was stopped before

// What there is to be done: for each thread a first piece and a second one.
constexpr unsigned First(unsigned thread) { return 2 * thread; }
constexpr unsigned Second(unsigned thread) { return 2 * thread + 1; }
constexpr unsigned kLefts = First(3);  // what was left before

template <unsigned kSlots>
struct World {
  Combiner<kSlots> combiner;
  Atomic<uint64_t> published;  // which version, above the bits of what is done
  uint64_t in_work;            // of who is at it
  uint64_t refusals;           // how often what is owed is refused yet
  Atomic<uint32_t> go;
  bool in_setup;
};
template <unsigned kSlots>
Fresh<World<kSlots>> world;

template <unsigned kSlots>
struct Client {
  uint64_t self;

  uint64_t name() const { return self; }
  bool IsGone(uint64_t name) const {
    if (world<kSlots>->in_setup || name == kStays) return false;
    return name >= kLost || !MayBeAlive(static_cast<unsigned>(name - 1));
  }
  uint64_t version() const {
    return world<kSlots>->published.Load(Order::kAcquire) / kOneVersion;
  }
  bool Do(typename Combiner<kSlots>::Work work, bool owed) const {
    World<kSlots>& all = *world<kSlots>;
    Require(work.begin == work.size, "half of it is other work");
    const uint64_t bit = uint64_t{1} << work.begin;
    all.in_work = work.begin;
    if (owed && all.refusals != 0) {
      --all.refusals;
      return false;
    }
    const uint64_t before = all.published.Load(Order::kRelaxed);
    Require((before & bit) == 0, "it is done twice");
    Require(work.begin % 2 == 0 || (before & bit / 2) != 0,
            "the second is done before the first");
    Require(all.in_work == work.begin, "two are at it");
    all.published.Store((before | bit) + kOneVersion, Order::kRelease);
    all.combiner.Done();
    return true;
  }
  bool MayWait(typename Combiner<kSlots>::Work) const { return true; }
  void Wait(uint64_t) const { alcove_model::Yield(); }
};

template <unsigned kSlots>
void SetUp() {
  world<kSlots>.Reset();
  Watch(&world<kSlots>->in_work, sizeof(uint64_t), "in_work");
  Watch(&world<kSlots>->refusals, sizeof(uint64_t), "refusals");
  Name(&world<kSlots>->combiner, "combiner");
  Name(&world<kSlots>->published, "published");
}

// With one in there who goes by that name, and work that is left.
template <unsigned kSlots, uint64_t name, bool left>
void SetUpHeld() {
  SetUp<kSlots>();
  world<kSlots>->in_setup = true;
  Client<kSlots> holder{name};
  Require(world<kSlots>->combiner.TryEnter(holder), "it is in there");
  Client<kSlots> other{kLost + 1};
  if (left) world<kSlots>->combiner.Submit(other, {kLefts, kLefts});
  world<kSlots>->in_setup = false;
}

// By one who was stopped.
template <unsigned kSlots>
constexpr auto SetUpLeft = SetUpHeld<kSlots, kLost, true>;

// By one who is never stopped.
template <unsigned kSlots = 2, bool left = false>
constexpr auto SetUpEntered = SetUpHeld<kSlots, kStays, left>;

template <unsigned kSlots>
void SetUpScarce() {
  SetUpLeft<kSlots>();
  world<kSlots>->refusals = 1;
}

template <unsigned kSlots>
void Submit(unsigned piece) {
  Client<kSlots> client{Self() + 1};
  Require(world<kSlots>->combiner.Submit(client, {piece, piece}),
          "it is not done");
}
template <unsigned kSlots>
void SubmitOne() {
  Submit<kSlots>(First(Self()));
}
template <unsigned kSlots>
void SubmitTwo() {
  Submit<kSlots>(First(Self()));
  Submit<kSlots>(Second(Self()));
}

template <unsigned kSlots>
void RequireDone(unsigned piece) {
  Require((world<kSlots>->published.Load(Order::kAcquire) >> piece & 1) != 0,
          "it was lost");
}

// Whether a piece of work is done, or left to be done.
template <unsigned kSlots>
bool Reads(unsigned piece) {
  bool gone = false;
  const auto published = [] {
    return world<kSlots>->published.Load(Order::kAcquire);
  };
  world<kSlots>->combiner.Read([&] { return published() / kOneVersion; },
                               [&](bool busy) {
                                 gone = (published() >> piece & 1) != 0;
                                 return busy;
                               },
                               [&](typename Combiner<kSlots>::Work work) {
                                 Require(work.begin == work.size,
                                         "it reads half of other work");
                                 gone = gone || work.begin == piece;
                               });
  return gone;
}

template <unsigned kSlots>
void SubmitAndRead() {
  SubmitOne<kSlots>();
  Require(Reads<kSlots>(First(Self())),
          "it reads as if nobody had submitted it");
}

// Once the first thread is at its end.
void SubmitBehindTheFirst() {
  AwaitEnd(0);
  SubmitOne<2>();
}

// Does what others leave, and does not go before they have.
template <unsigned kSlots, unsigned... others>
void StayAndDrain() {
  Client<kSlots> client{kStays};
  world<kSlots>->combiner.Drain(client);
  (AwaitEnd(others), ...);
  world<kSlots>->combiner.Drain(client);
}

// Nobody has to come for it.
template <unsigned kSlots, unsigned threads>
void AllDone() {
  for (unsigned i = 0; i < threads; ++i) RequireDone<kSlots>(First(i));
}

// Comes behind others, and finds everything done that was not cut off.
template <unsigned kSlots, unsigned others, bool left = false>
void ComeLast() {
  bool whole[kThreads] = {};
  for (unsigned i = 0; i < others; ++i) whole[i] = !AwaitEnd(i);
  SubmitOne<kSlots>();
  for (unsigned i = 0; i < others; ++i) {
    if (whole[i]) RequireDone<kSlots>(First(i));
  }
  RequireDone<kSlots>(First(Self()));
  if (left) RequireDone<kSlots>(kLefts);
}

const Scenario kTwo = {"two threads have something done at once",
                       SetUp<2>,
                       {{"A", SubmitOne<2>}, {"B", SubmitOne<2>}},
                       AllDone<2, 2>};

const Scenario kTwice = {
    "a thread has two things done, one after the other, by one who stays there",
    SetUpEntered<>,
    {{"A", SubmitTwo<2>},
     {"B",
      [] {
        StayAndDrain<2, 0>();
        RequireDone<2>(First(0));
        RequireDone<2>(Second(0));
      }}},
    nullptr};

const Scenario kTwoPost = {
    "two threads have something done by one who stays there",
    SetUpEntered<>,
    {{"A", SubmitOne<2>},
     {"B",
      [] {
        StayAndDrain<2, 0, 2>();
        RequireDone<2>(First(0));
        RequireDone<2>(First(2));
      }},
     {"C", SubmitOne<2>}},
    nullptr};

const Scenario kSlotOfTheGone = {
    "the slot of one who is gone is cleared, and used again at once",
    SetUpEntered<3, true>,
    {{"A", SubmitTwo<3>},
     {"B",
      [] {
        StayAndDrain<3, 0>();
        RequireDone<3>(kLefts);
        RequireDone<3>(First(0));
        RequireDone<3>(Second(0));
      }}},
    nullptr};

const Scenario kOneSlot = {
    "a thread waits for another one, since what was left is in the slot",
    SetUpLeft<1>,
    {{"A", SubmitOne<1>}, {"B", SubmitOne<1>}},
    [] {
      AllDone<1, 2>();
      RequireDone<1>(kLefts);
    }};

const Scenario kRead = {
    "a thread looks for what it has submitted, while it is done",
    SetUpEntered<>,
    {{"A", SubmitAndRead<2>}, {"B", StayAndDrain<2, 0>}},
    nullptr};

const Scenario kReadReused = {
    "a thread reads a slot that is used again, and in hand",
    SetUpEntered<1, true>,
    {{"A",
      [] {
        if (world<1>->go.Load(Order::kAcquire) != 0) SubmitOne<1>();
      }},
     {"B",
      [] {
        Client<1> client{kStays};
        world<1>->combiner.Drain(client);
        world<1>->go.Store(1, Order::kRelease);
        AwaitEnd(0);
        world<1>->combiner.Drain(client);
      }},
     {"R", [] { Reads<1>(First(0)); }}},
    nullptr,
    0,
    Size::kLong};

const Scenario kReadReusedAtOnce = {
    "a thread reads a slot that is used again at once",
    SetUpEntered<2, true>,
    {{"A",
      [] {
        if (world<2>->go.Load(Order::kRelaxed) != 0) SubmitOne<2>();
      }},
     {"B",
      [] {
        Client<2> client{kStays};
        world<2>->combiner.Drain(client);
        world<2>->go.Store(1, Order::kRelaxed);
      }},
     {"R", [] { Reads<2>(First(0)); }}},
    nullptr};

const Scenario kTwoRead = {
    "two threads look for what they have submitted, while one of them does it",
    SetUp<2>,
    {{"A", SubmitAndRead<2>}, {"B", SubmitAndRead<2>}},
    nullptr,
    0,
    Size::kLong};

const Scenario kFirstWhatWasLeft = {"what was left comes first",
                                    SetUpLeft<2>,
                                    {{"A", [] { Submit<2>(kLefts + 1); }}},
                                    [] { RequireDone<2>(kLefts + 1); }};

const Scenario kStopped = {
    "who does what others left is stopped at any step",
    SetUpLeft<2>,
    {{"A", SubmitOne<2>, true}, {"L", ComeLast<2, 1, true>}},
    nullptr};

const Scenario kTwoStopped = {
    "who does what others left is stopped at any step, and his successor, too",
    SetUpLeft<2>,
    {{"A", SubmitOne<2>, true},
     {"B", SubmitBehindTheFirst, true},
     {"L", ComeLast<2, 2, true>}},
    nullptr,
    2};

const Scenario kStoppedBeside = {
    "a thread is stopped at any step, and another one has something done",
    SetUp<2>,
    {{"A", SubmitOne<2>, true}, {"B", SubmitOne<2>}, {"L", ComeLast<2, 2>}},
    nullptr};

const Scenario kTwoSucceed = {
    "two threads want to succeed one that was stopped",
    SetUpLeft<2>,
    {{"A", SubmitOne<2>}, {"B", SubmitOne<2>}},
    [] {
      AllDone<2, 2>();
      RequireDone<2>(kLefts);
    }};

const Scenario kTwoSucceedAnother = {
    "a thread is stopped at any step, and two want to succeed it",
    SetUpLeft<2>,
    {{"A", SubmitOne<2>, true},
     {"B", SubmitBehindTheFirst},
     {"C", SubmitBehindTheFirst}},
    [] {
      RequireDone<2>(First(1));
      RequireDone<2>(First(2));
      RequireDone<2>(kLefts);
    },
    1,
    Size::kLong};

const Scenario kScarce = {"what was left cannot be done at once",
                          SetUpScarce<2>,
                          {{"A", SubmitOne<2>}, {"L", ComeLast<2, 1, true>}},
                          nullptr};

const Scenario kScarceBeside = {
    "what was left cannot be done at once, and a thread leaves more",
    [] {
      SetUpEntered<2, true>();
      world<2>->refusals = 1;
    },
    {{"A", SubmitOne<2>},
     {"B",
      [] {
        StayAndDrain<2, 0>();
        RequireDone<2>(kLefts);
        RequireDone<2>(First(0));
      }}},
    nullptr};

const Scenario kForked = {
    "a child of fork goes on where another thread of its parent was at it",
    SetUpLeft<2>,
    {{"A", SubmitOne<2>},
     {"B",
      [] {
        Fork();
        SubmitOne<2>();
        RequireDone<2>(First(1));
        RequireDone<2>(kLefts);
      }}},
    nullptr};

const alcove_model::Registration registration(
    {"combiner",
     ALCOVE_MODEL_MUTANT,
     {kTwo, kTwice, kTwoPost, kSlotOfTheGone, kOneSlot, kRead, kReadReused,
      kReadReusedAtOnce, kTwoRead, kFirstWhatWasLeft, kStopped, kTwoStopped,
      kStoppedBeside, kTwoSucceed, kTwoSucceedAnother, kScarce, kScarceBeside,
      kForked}});

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
