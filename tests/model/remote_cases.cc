// core/heap/remote.h with the slabs of core/slab: two owners, A and B, and one
// slab or two, of which blocks are out.
#include <string.h>

#include "core/hardening/misuse.h"
#include "core/heap/remote.h"
#include "core/region/range.h"
#include "core/slab/slab.h"
#include "tests/model/cases.h"

// What is compiled anew against the model, or mutants of it. That of a header has
// been included before.
#include ALCOVE_MODEL_REMOTE_CC
#include ALCOVE_MODEL_SLAB_CC
#include "core/size/size_class.cc"

namespace ALCOVE_CORE_NAMESPACE {

// Makes a range of one unit, which has but its metadata.
struct DescriptorLayout {
  static void Make(Range* range, uint32_t* map, Slab* slab) {
    range->base_ = reinterpret_cast<char*>(uintptr_t{1} << 40);
    range->descriptors_ = reinterpret_cast<char*>(slab);
    range->class_map_ = map + 2;  // it runs backwards from there
  }
};

// The stand-ins for what is around.
void UnitMap::Note(size_t) {}
void Stop(Misuse, const void*, size_t) {
  alcove_model::Fail("a block came home twice");
}
void InvariantBroken(const char* condition, const char*, int) {
  alcove_model::Fail(condition);
}

namespace {

using alcove_model::AwaitEnd;
using alcove_model::Fork;
using alcove_model::Fresh;
using alcove_model::Name;
using alcove_model::Require;
using alcove_model::Scenario;
using alcove_model::Size;
using alcove_model::WasStopped;
using alcove_model::Watch;

struct Owner : SlabOwner {
  MailTrail trail;
};

struct World {
  Slab slabs[2];
  Owner a, b;
  Range range;
  uint32_t map[4];
  uint64_t blocks[3];          // what the user has in the first ones
  Atomic<uint32_t> free_span;  // the region: whether it has the unit
  Atomic<uint32_t> sent;       // a block was given to another thread
  bool in_hand;                // bits are on their way from `remote` to `local`
  bool lost;                   // what somebody had in hand who was stopped
};
Fresh<World> world;

SizeClass Class() { return ClassOfSize(1024); }
const ClassInfo& Info() { return InfoOf(Class()); }
MapEntry EntryFor(const Owner& owner) {
  return MakeEntry(Class(), &owner == &world->a ? 1 : 2);
}

Slab* slab() { return &world->slabs[0]; }
Slab* second_slab() { return &world->slabs[1]; }

// ---- What a heap does with its slabs (heap.cc), in short ----

void NewSlab(Owner* owner, size_t unit = 0) {
  Span span;
  span.range = &world->range;
  span.first = unit;
  CreateSlab(span, Class(), owner, EntryFor(*owner));
}

void Collect(Owner* owner) {
  owner->OpenMail(&owner->trail, [](Slab* mine) {
    world->in_hand = true;
    CollectRemote(mine, Info());
    world->in_hand = false;
  });
}

// ReleaseIfEmpty: whether it was.
bool ReleaseIfEmpty() {
  if (slab()->available != slab()->blocks ||
      slab()->pending.Load(Order::kRelaxed) != 0) {
    return false;
  }
  RetireSlab(world->range, slab());
  world->free_span.Store(1, Order::kRelease);
  return true;
}

// Takes what is available of what was out before, and uses it.
void TakeAndUse() {
  if (slab()->local[0] == 0) return;
  BitWord blocks = TakeWord(slab(), Info()).blocks;
  for (unsigned i = 0; i < 3; ++i) {
    if ((blocks >> i & 1) != 0) world->blocks[i] = 7;
  }
  // And frees it.
  slab()->local[0] |= blocks;
  slab()->hint_word = 0;
  slab()->available =
      static_cast<uint16_t>(slab()->available + CountBits(blocks));
}

// A user's last look at a block, and its free.
void UseAndFree(unsigned block) {
  world->blocks[block] += 1;
  Require(FreeRemotely(slab(), 0, BitWord{1} << block) == 0,
          "a block that is live was freed already");
}

// As Heap::Repair does: the mail, and then the bits of all slabs of the heap's.
void Repair(Owner* owner) {
  if (world->in_hand) world->lost = true;
  owner->FinishMail(&owner->trail);
  for (Slab& slab : world->slabs) {
    if (slab.owner.Load(Order::kRelaxed) != owner) continue;
    unsigned available = slab.blocks - unsigned{slab.fresh};
    for (unsigned w = 0; w < slab.used_words(); ++w) {
      world->in_hand = true;
      const BitWord freed =
          slab.remote[w].Exchange(0, Order::kSeqCst) & slab.UsedBits(w);
      slab.local[w] |= freed;
      world->in_hand = false;
      available += CountBits(slab.local[w]);
    }
    slab.available = static_cast<uint16_t>(available);
    slab.hint_word = 0;
  }
}

// ---- Before and after ----

void SetUp(unsigned out) {
  world.Reset();
  Name(&slab()->owner, "slab.owner");
  Name(&slab()->next_pending, "slab.next_pending");
  Name(&slab()->pending, "slab.pending");
  Name(&slab()->inline_remote[0], "slab.remote");
  Name(slab(), "slab");
  Name(&second_slab()->owner, "second_slab.owner");
  Name(&second_slab()->next_pending, "second_slab.next_pending");
  Name(&second_slab()->pending, "second_slab.pending");
  Name(&second_slab()->inline_remote[0], "second_slab.remote");
  Name(second_slab(), "second_slab");
  Name(&world->a, "A.pending_");
  Name(&world->b, "B.pending_");
  Name(reinterpret_cast<char*>(&world->a) + 8, "A.mail_");
  Name(reinterpret_cast<char*>(&world->b) + 8, "B.mail_");
  Name(&world->free_span, "region");
  Name(&world->sent, "sent");
  Watch(slab(), sizeof(Slab), "slab");
  Watch(second_slab(), sizeof(Slab), "second_slab");
  Watch(&world->a.trail, sizeof(MailTrail), "A.trail");
  Watch(&world->b.trail, sizeof(MailTrail), "B.trail");
  Watch(&world->blocks, sizeof(world->blocks), "blocks");
  DescriptorLayout::Make(&world->range, world->map, world->slabs);
  NewSlab(&world->a);
  TakeFresh(slab(), Info(), out);
}
void TwoOut() { SetUp(2); }

// A free of the second block is in A's mail.
void TwoOutOneHeard() {
  SetUp(2);
  FreeRemotely(slab(), 0, 2);
}

// The slab is B's, with a free that A has in its mail: from a freeing thread that
// saw the owner before.
void OneInWrongMail() {
  SetUp(1);
  slab()->owner.Store(&world->b, Order::kRelaxed);
  slab()->remote[0].FetchOr(1, Order::kRelaxed);
  Announce(&world->a, slab());
}

// When all is quiet, what was freed is in the owner's hands, and another free is
// heard.
void AllAreHome() {
  for (Owner* owner : {&world->a, &world->b, &world->a, &world->b})
    Collect(owner);
  for (Slab& slab : world->slabs) {
    if (slab.blocks == 0) continue;
    Require(slab.remote[0].Own() == 0, "a free was lost");
    Require(slab.pending.Own() == 0, "the slab is deaf");
    if (slab.owner.Own() == nullptr) continue;
    Require(slab.available == slab.blocks, "not all blocks are back");
  }
}

// The same, but for what an owner that was stopped had in hand, of one word.
void AllAreHomeButInHand() {
  if (world->in_hand || world->lost) {
    for (Slab& slab : world->slabs) {
      if (slab.blocks == 0) continue;
      const BitWord lost =
          slab.UsedBits(0) & ~slab.local[0] & ~slab.remote[0].Own();
      slab.available = static_cast<uint16_t>(slab.available + CountBits(lost));
    }
  }
  AllAreHome();
}

// As AllAreHome, but for what a freeing thread that was stopped leaves: its block, if it
// was not freed yet; and the slab deaf, where `pending` is 1 and nobody has it.
void AllButTheStoppedOnes(BitWord its_block) {
  for (Owner* owner : {&world->a, &world->b, &world->a, &world->b})
    Collect(owner);
  const bool deaf = slab()->pending.Own() == 1;
  Require(!deaf || (!world->a.HasMail() && !world->b.HasMail()),
          "announced, and not opened");
  const BitWord home = slab()->local[0] | slab()->remote[0].Own();
  Require((home | its_block) == 3, "another one's free was lost");
  if (!deaf) {
    // A bit that was set and not announced comes home with the next one.
    SlabOwner* const owner = slab()->owner.Own();
    Require((slab()->remote[0].Own() & ~its_block) == 0, "a free is not heard");
    Announce(owner, slab());
    Collect(static_cast<Owner*>(owner));
    Require(slab()->remote[0].Own() == 0, "nor with the next one");
  }
}

// Both slabs are in A's mail, the second one on top.
void TwoSlabsHeard() {
  TwoOutOneHeard();
  NewSlab(&world->a, 1);
  TakeFresh(second_slab(), Info(), 1);
  FreeRemotely(second_slab(), 0, 1);
}

void FreeFirst() { UseAndFree(0); }
void FreeSecond() { UseAndFree(1); }

const Scenario kFreesAndOwner = {
    "two threads free blocks of a slab while its owner opens its mail",
    TwoOut,
    {{"first", FreeFirst},
     {"second", FreeSecond},
     {"A",
      [] {
        Collect(&world->a);
        TakeAndUse();
        Collect(&world->a);
        TakeAndUse();
      }}},
    AllAreHome};

const Scenario kTwoSlabs = {
    "two slabs are announced while their owner opens its mail",
    [] {
      SetUp(1);
      NewSlab(&world->a, 1);
      TakeFresh(second_slab(), Info(), 1);
    },
    {{"first", FreeFirst},
     {"second", [] { FreeRemotely(second_slab(), 0, 1); }},
     {"A",
      [] {
        Collect(&world->a);
        Collect(&world->a);
      }}},
    AllAreHome};

// A new slab of B's, of which another thread frees a block.
void MakeAndSend() {
  NewSlab(&world->b);
  TakeFresh(slab(), Info(), 1);
  world->blocks[0] = 9;
  world->sent.Store(1, Order::kRelease);
}
void FreeWhatWasSent() {
  if (world->sent.Load(Order::kAcquire) != 0) UseAndFree(0);
}
// Who was too early frees it now.
void AllAreHomeAndWhatWasSent() {
  if (world->sent.Own() != 0 && world->blocks[0] == 9) UseAndFree(0);
  AllAreHome();
}

// An owner was stopped in step 3 of what it sent on: the slab may be deaf.
void AllAreHomeOrDeaf() {
  const bool stopped = WasStopped(0) || WasStopped(1);
  if (stopped && slab()->pending.Own() == 1 && !world->a.HasMail() &&
      !world->b.HasMail()) {
    return;
  }
  AllAreHomeAndWhatWasSent();
}

// The late one's bit may come home with the free that A has heard of, the slab be
// B's, and the late one's announcement come then, to A's mail or to B's.
const Scenario kBornAgain = {
    "a slab is emptied, retired and made anew while a free of it is under way",
    TwoOutOneHeard,
    {{"late", FreeFirst},
     {"A",
      [] {
        Collect(&world->a);
        if (ReleaseIfEmpty()) Collect(&world->a);
      }},
     {"B",
      [] {
        if (world->free_span.Load(Order::kAcquire) == 0) return;
        MakeAndSend();
        Collect(&world->b);
      }},
     {"C", FreeWhatWasSent}},
    AllAreHomeAndWhatWasSent};

// The slab is nobody's; it is in A's mail, from a free that came home long ago.
void NobodysInMail() {
  SetUp(0);
  RetireSlab(world->range, slab());
  Announce(&world->a, slab());
}

const Scenario kBornInMail = {
    "a slab is made anew while it is in the mail of its former owner",
    NobodysInMail,
    {{"A", [] { Collect(&world->a); }},
     {"B",
      [] {
        MakeAndSend();
        Collect(&world->b);
      }},
     {"C", FreeWhatWasSent}},
    AllAreHomeAndWhatWasSent};

const Scenario kBornInMailOfStopped = {
    "a slab is made anew in the mail of its former owner, who is stopped",
    NobodysInMail,
    {{"A", [] { Collect(&world->a); }, true},
     {"heir",
      [] {
        if (AwaitEnd(0)) Repair(&world->a);
        Collect(&world->a);
      }},
     {"B", MakeAndSend},
     {"C", FreeWhatWasSent}},
    AllAreHomeOrDeaf};

const Scenario kForwarded = {
    "mail for another owner is sent on, while there is another free",
    [] {
      SetUp(2);
      slab()->owner.Store(&world->b, Order::kRelaxed);
      slab()->remote[0].FetchOr(2, Order::kRelaxed);
      Announce(&world->a, slab());
    },
    {{"first", FreeFirst},
     {"A", [] { Collect(&world->a); }},
     {"B",
      [] {
        Collect(&world->b);
        TakeAndUse();
        Collect(&world->b);
      }}},
    AllAreHome};

const Scenario kOwnerStopped = {
    "an owner is stopped at any step of its mail, and an heir finishes it",
    TwoOutOneHeard,
    {{"first", FreeFirst},
     {"A", [] { Collect(&world->a); }, true},
     {"heir",
      [] {
        if (AwaitEnd(1)) Repair(&world->a);
        Collect(&world->a);
        TakeAndUse();
      }}},
    AllAreHomeButInHand};

const Scenario kOwnerStoppedWithMore = {
    "an owner is stopped at any step of its mail, which has two slabs",
    TwoSlabsHeard,
    {{"first", FreeFirst},
     {"A", [] { Collect(&world->a); }, true},
     {"heir",
      [] {
        if (AwaitEnd(1)) Repair(&world->a);
        Collect(&world->a);
      }}},
    AllAreHomeButInHand};

const Scenario kOwnerStoppedAndAnother = {
    "an owner is stopped at any step of its mail while a slab is announced",
    [] {
      TwoOutOneHeard();
      NewSlab(&world->a, 1);
      TakeFresh(second_slab(), Info(), 1);
      FreeRemotely(slab(), 0, 1);
    },
    {{"second", [] { FreeRemotely(second_slab(), 0, 1); }},
     {"A", [] { Collect(&world->a); }, true},
     {"heir",
      [] {
        if (AwaitEnd(1)) Repair(&world->a);
        Collect(&world->a);
      }}},
    AllAreHomeButInHand};

const Scenario kForwarderStopped = {
    "an owner is stopped while it sends mail on",
    OneInWrongMail,
    {{"A", [] { Collect(&world->a); }, true},
     {"heir",
      [] {
        if (AwaitEnd(0)) Repair(&world->a);
        Collect(&world->a);
      }},
     {"B", [] { Collect(&world->b); }}},
    AllAreHomeOrDeaf};

const Scenario kHeirStopped = {
    "the heir is stopped, too, and another one finishes",
    TwoOutOneHeard,
    {{"first", FreeFirst},
     {"A", [] { Collect(&world->a); }, true},
     {"heir",
      [] {
        if (AwaitEnd(1)) Repair(&world->a);
      },
      true},
     {"next",
      [] {
        const bool first = AwaitEnd(1);
        if (AwaitEnd(2) || first) Repair(&world->a);
        Collect(&world->a);
      }}},
    AllAreHomeButInHand,
    2,
    Size::kNotMutated};

const Scenario kForwardersHeirStopped = {
    "an owner is stopped while it sends mail on, and its heir, too",
    OneInWrongMail,
    {{"A", [] { Collect(&world->a); }, true},
     {"heir",
      [] {
        if (AwaitEnd(0)) Repair(&world->a);
      },
      true},
     {"next",
      [] {
        const bool first = AwaitEnd(0);
        if (AwaitEnd(1) || first) Repair(&world->a);
        Collect(&world->a);
      }}},
    AllAreHomeOrDeaf,
    2};

const Scenario kFreeingStopped = {
    "a freeing thread is stopped at any step",
    TwoOut,
    {{"first", FreeFirst, true},
     {"second", FreeSecond},
     {"A",
      [] {
        Collect(&world->a);
        Collect(&world->a);
      }}},
    [] { AllButTheStoppedOnes(WasStopped(0) ? 1 : 0); }};

const Scenario kForkedOwner = {
    "a child of fork goes on with its mail, without those who freed",
    TwoOut,
    {{"first", FreeFirst},
     {"second", FreeSecond},
     {"A",
      [] {
        Collect(&world->a);
        Fork();
        Collect(&world->a);
      }}},
    [] {
      AllButTheStoppedOnes((WasStopped(0) ? 1 : 0) | (WasStopped(1) ? 2 : 0));
    }};

const alcove_model::Registration registration(
    {"remote",
     ALCOVE_MODEL_MUTANT,
     {kFreesAndOwner, kTwoSlabs, kBornAgain, kBornInMail, kBornInMailOfStopped,
      kForwarded, kOwnerStopped, kOwnerStoppedAndAnother, kOwnerStoppedWithMore,
      kForwarderStopped, kForwardersHeirStopped, kHeirStopped, kFreeingStopped,
      kForkedOwner}});

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
