// Memory that the program gives, to the region or, for a while, to one arena.
//
// Donated memory is claimed before anything is written to it or looked up in it,
// or two threads could have the same. A claim is one word: the number of the first
// granule and how many there are, and whether it is only tried yet. Claims have
// places in an order, in which all see them. Whoever wants one
//
//   1. puts it, as tried, into a free place;
//   2. looks at all other places. An overlapping claim that is settled: the memory
//      is taken. One that is tried, in a place before: makes room and begins anew;
//      in a place behind: waits for the other, who makes room;
//   3. settles it.
//
// 1 and 2 are sequentially consistent, so of two claims that overlap, the later in
// 1 finds the other in 2, and is not settled as long as that is there. A thread that
// is stopped for good in between leaves its memory claimed and unused; others wait for
// it for a while, and count it as taken.
#include "core/base/give_way.h"
#include "core/base/mem.h"
#include "core/base/new.h"
#include "core/region/region.h"
#include "core/region/store.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

constexpr unsigned kClaimCountBits = 28;  // 1 TiB
constexpr uint64_t kTried = uint64_t{1} << 63;
constexpr unsigned kClaimLooks = 1000;

// What fits the store along with its metadata is taken from there.
constexpr size_t kStoreMost = 8192;

// [begin, begin + size) of whole granules, nearly anywhere.
struct Granules {
  char* begin = nullptr;
  size_t size = 0;  // 0: there is none, or it is no memory
  uint64_t claim = 0;
};

Granules GranulesOf(void* p, size_t size) {
  constexpr uintptr_t kAddressEnd = uintptr_t{1} << 47;
  Granules all;
  const uintptr_t begin = AddressOf(p);
  if (p == nullptr || begin >= kAddressEnd || size > kAddressEnd - begin)
    return all;
  const uintptr_t first = RoundUp(begin, kDonationGranule);
  const uintptr_t end = RoundDown(begin + size, kDonationGranule);
  if (first >= end) return all;
  const size_t granules = (end - first) / kDonationGranule;
  if (granules >> kClaimCountBits != 0) return all;
  all.begin = static_cast<char*>(p) + (first - begin);
  all.size = end - first;
  all.claim = first / kDonationGranule << kClaimCountBits | granules;
  return all;
}

bool ClaimsMeet(uint64_t a, uint64_t b) {
  constexpr uint64_t kCount = (uint64_t{1} << kClaimCountBits) - 1;
  const uint64_t first_of_a = (a & ~kTried) >> kClaimCountBits;
  const uint64_t first_of_b = (b & ~kTried) >> kClaimCountBits;
  return first_of_a < first_of_b + (b & kCount) &&
         first_of_b < first_of_a + (a & kCount);
}

}  // namespace

// ---- Claims ----

// Calls visit(place) for each until one returns false; whether none did.
template <typename Visit>
bool Region::ForEachClaim(Visit visit) const {
  for (const Atomic<uint64_t>& place : claims_) {
    if (!visit(place)) return false;
  }
  // Later ones are in front; of any two the order is always the same.
  for (const LentRange* lent = lent_.Load(Order::kSeqCst); lent != nullptr;
       lent = lent->next.Load(Order::kRelaxed)) {
    if (!visit(lent->claim)) return false;
  }
  return true;
}

bool Region::IsClaimed(uint64_t claim) const {
  return !ForEachClaim([claim](const Atomic<uint64_t>& place) {
    return !ClaimsMeet(place.Load(Order::kSeqCst), claim);
  });
}

// Steps 2 and 3.
ALCOVE_COLD Region::Settled Region::Settle(Atomic<uint64_t>* own,
                                           uint64_t claim) {
  for (unsigned looks = 0; looks < kClaimLooks; ++looks) {
    bool before = true;
    bool wait = false;
    Settled settled = Settled::kMine;
    ForEachClaim([&](const Atomic<uint64_t>& place) {
      if (&place == own) {
        before = false;
        return true;
      }
      const uint64_t other = place.Load(Order::kSeqCst);
      if (!ClaimsMeet(other, claim)) return true;
      if ((other & kTried) == 0) {
        settled = Settled::kTaken;
      } else if (before) {
        settled = Settled::kLater;
      } else {
        wait = true;
      }
      return settled == Settled::kMine;
    });
    if (settled != Settled::kMine) {
      own->Store(0, Order::kRelease);
      return settled;
    }
    if (!wait) {
      own->Store(claim, Order::kRelease);
      return Settled::kMine;
    }
    GiveWay();
  }
  own->Store(0, Order::kRelease);
  return Settled::kTaken;
}

// Steps 1 to 3: take() does 1, and returns the place, or null if there is none.
template <typename Take>
Region::Donation Region::Claim(uint64_t claim, Take take) {
  for (unsigned tries = 0; tries < kClaimLooks; ++tries) {
    Atomic<uint64_t>* const own = take();
    if (own == nullptr)
      return IsClaimed(claim) ? Donation::kInvalid : Donation::kFull;
    const Settled settled = Settle(own, claim);
    if (settled == Settled::kMine) return Donation::kTaken;
    if (settled == Settled::kTaken) return Donation::kInvalid;
    GiveWay();
  }
  return Donation::kInvalid;
}

ALCOVE_COLD Atomic<uint64_t>* Region::TakePlace(uint64_t claim) {
  for (Atomic<uint64_t>& place : claims_) {
    uint64_t expected = 0;
    if (place.Load(Order::kRelaxed) == 0 &&
        place.CompareExchange(expected, claim | kTried, Order::kSeqCst)) {
      return &place;
    }
  }
  return nullptr;
}

// ---- To the region ----

ALCOVE_COLD Region::Donation Region::Donate(void* p, size_t size, size_t room) {
  const Granules given = GranulesOf(p, size);
  if (given.size == 0) return Donation::kInvalid;
  DonationPlan plan = Range::PlanDonation(given.begin, given.size, room);
  if (room != 0 && ranges_[0].Load(Order::kRelaxed) != nullptr) {
    const DonationPlan roomless =
        Range::PlanDonation(given.begin, given.size, 0);
    if (roomless.units != plan.units) {
      plan = roomless;
      room = 0;
    }
  }
  if (plan.units == 0 || MeetsRange(given.begin, given.size))
    return Donation::kInvalid;
  if (Config::kSystemMemory && !platform::IsWritable(given.begin, given.size))
    return Donation::kNotWritable;
  Atomic<uint64_t>* place = nullptr;
  const Donation claimed =
      Claim(given.claim, [&] { return place = TakePlace(given.claim); });
  if (claimed != Donation::kTaken) return claimed;
  Range* const range = Range::Donate(plan, room);
  for (unsigned i = 0; i < kRangesMax; ++i) {
    Range* expected = nullptr;
    if (ranges_[i].Load(Order::kRelaxed) == nullptr &&
        ranges_[i].CompareExchange(expected, range, Order::kAcqRel)) {
      donations_.FetchAdd(1, Order::kRelease);
      return Donation::kTaken;
    }
  }
  place->Store(0, Order::kRelease);
  return Donation::kFull;
}

ALCOVE_COLD bool Region::MeetsRange(const char* begin, size_t size) const {
  for (const Atomic<Range*>& slot : ranges_) {
    const Range* const range = slot.Load(Order::kAcquire);
    if (range == nullptr) break;
    if (range->Overlaps(begin, size)) return true;
  }
  return false;
}

// ---- To one arena ----

ALCOVE_COLD LentRange* Region::NewLent(size_t units, uint64_t claim,
                                       Store* store) {
  // Room for some more, so that few sizes serve all.
  size_t capacity = 1;
  while (capacity < units) capacity *= 2;
  const size_t own = RoundUp(sizeof(LentRange), 64);
  const size_t needed = Range::LentMetadataSize(capacity);
  const bool apart = own + needed > kStoreMost;
  char* metadata = nullptr;
  if (apart) {
    metadata = static_cast<char*>(TakePages(needed));
    if (metadata == nullptr) return nullptr;
  }
  void* const memory = store->Take(apart ? own : own + needed);
  if (memory == nullptr) {
    if (apart) GivePages(metadata, needed);
    return nullptr;
  }
  LentRange* const lent = Construct<LentRange>(memory);
  if (!apart) metadata = static_cast<char*>(memory) + own;
  lent->metadata = metadata;
  lent->mapped = apart ? needed : 0;
  lent->capacity = capacity;
  lent->range = Range::CreateLent(metadata, capacity);
  lent->claim.Store(claim | kTried, Order::kRelaxed);
  LentRange* head = lent_.Load(Order::kRelaxed);
  do {
    lent->next.Store(head, Order::kRelaxed);
  } while (!lent_.CompareExchange(head, lent, Order::kSeqCst));
  return lent;
}

// One that is nobody's and right for so many units, or a new one.
ALCOVE_COLD LentRange* Region::TakeLent(size_t units, uint64_t claim,
                                        Store* store) {
  for (LentRange* lent = lent_.Load(Order::kAcquire); lent != nullptr;
       lent = lent->next.Load(Order::kRelaxed)) {
    if (lent->capacity < units || lent->capacity >= 2 * units) continue;
    uint64_t expected = 0;
    if (lent->claim.Load(Order::kRelaxed) == 0 &&
        lent->claim.CompareExchange(expected, claim | kTried, Order::kSeqCst)) {
      return lent;
    }
  }
  return NewLent(units, claim, store);
}

ALCOVE_COLD Region::Donation Region::Lend(void* p, size_t size, Store* store,
                                          LentRange** lent) {
  const Granules given = GranulesOf(p, size);
  if (given.size == 0) return Donation::kInvalid;
  const uintptr_t begin = AddressOf(given.begin);
  const uintptr_t first = RoundUp(begin, kUnit);
  const uintptr_t last = RoundDown(begin + given.size, kUnit);
  if (first >= last || MeetsRange(given.begin, given.size))
    return Donation::kInvalid;
  if (Config::kSystemMemory && !platform::IsWritable(given.begin, given.size))
    return Donation::kNotWritable;
  const size_t units = (last - first) >> kUnitShift;
  const Donation claimed = Claim(given.claim, [&]() -> Atomic<uint64_t>* {
    *lent = TakeLent(units, given.claim, store);
    return *lent == nullptr ? nullptr : &(*lent)->claim;
  });
  if (claimed != Donation::kTaken) return claimed;
  char* const base = given.begin + (first - begin);
  (*lent)->range->Lend(base, units);
  (*lent)->extent.Store(LentRange::Extent(base, units), Order::kRelease);
  return Donation::kTaken;
}

ALCOVE_COLD void Region::TakeBack(LentRange* lent) {
  lent->extent.Store(0, Order::kRelease);
  lent->claim.Store(0, Order::kRelease);
}

ALCOVE_COLD void Region::ForgetLent() {
  LentRange* lent = lent_.Exchange(nullptr, Order::kAcquire);
  while (lent != nullptr) {
    LentRange* const next = lent->next.Load(Order::kRelaxed);
    if (lent->mapped != 0) GivePages(lent->metadata, lent->mapped);
    lent = next;
  }
}

}  // namespace ALCOVE_CORE_NAMESPACE
