#include "handover/handover.h"

#include <sched.h>
#include <unistd.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace alcove {

namespace internal = handover_internal;

using internal::g_control;
using internal::Slot;

namespace {

// Operations take less than it takes to look at them this often, unless the
// system has something else to do meanwhile.
constexpr int kLooks = 100;

// As the line of an instance, where there is none to write it.
[[noreturn]] void StopUnowned(const void* block) {
  char line[96];
  const int size = std::snprintf(
      line, sizeof(line),
      "alcove::Handover: use of memory that is no instance's, at %p\n", block);
  if (write(STDERR_FILENO, line, static_cast<size_t>(size)) < 0) std::abort();
  std::abort();
}

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer does not see inside an instance how memory that one thread
// freed comes to be another's, and would take that for a race.
__attribute__((no_sanitize("thread"), noinline)) void Copy(void* to,
                                                           const void* from,
                                                           size_t size) {
  auto* const target = static_cast<volatile char*>(to);
  const auto* const source = static_cast<const volatile char*>(from);
  for (size_t i = 0; i < size; ++i) target[i] = source[i];
}
#else
void Copy(void* to, const void* from, size_t size) {
  std::memcpy(to, from, size);
}
#endif

}  // namespace

// An operation: while it lives, what is in its state is neither shut down nor
// unloaded.
class Handover::Visit {
 public:
  explicit Visit(Handover* handover) : handover_(handover) {
    state_ = handover->state_.load(std::memory_order_acquire);
    // Nothing to be inside of; maybe there never was, and no slots.
    if (IsNothing()) return;
    slot_ = internal::OwnSlot();
    if (slot_ == nullptr) {
      // Without memory for a slot nothing can be shut down under the lock.
      g_control.lock();
      is_locked_ = true;
      state_ = handover->state_.load(std::memory_order_relaxed);
      return;
    }
    depth_ = internal::Mark(slot_);
    if (!internal::BarrierReachesAll()) internal::Fence();
    state_ = handover->state_.load(internal::kRead);
    number_ = handover->number_.load(std::memory_order_relaxed);
    if (slot_->ready[number_].load(std::memory_order_relaxed) != state_) {
      GetReady();
    }
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() {
    if (slot_ != nullptr) {
      internal::Unmark(slot_, depth_);
    } else if (is_locked_) {
      // Nor could anybody tell that this thread has a cache.
      for (unsigned place = 0; place < kPlaces; ++place) {
        if ((touched_ >> place & 1) != 0) FunctionsOf(place).thread_detach();
      }
      g_control.unlock();
    }
  }

  bool has_current() const { return current() != kNone; }
  unsigned current() const { return CurrentOf(state_); }

  // Of an instance that the call may give the thread a cache of.
  const InstanceFunctions& Use(unsigned place) {
    if (slot_ != nullptr) return handover_->Use(place, slot_);
    touched_ |= 1u << place;
    return FunctionsOf(place);
  }

  // Of one whose code is called and nothing more.
  const InstanceFunctions& FunctionsOf(unsigned place) const {
    return handover_->places_[place].functions;
  }

  // The place of the instance whose block it is, or kNone.
  unsigned FindOwner(const void* block) const {
    if (has_current() && FunctionsOf(current()).owns(block) != 0) {
      return current();
    }
    return handover_->FindOld(block, state_);
  }

  // The one to give it to, if it is only to complain.
  unsigned OwnerOf(const void* block) const {
    const unsigned owner = FindOwner(block);
    if (owner != kNone) return owner;
    if (!has_current()) StopUnowned(block);
    return current();
  }

 private:
  bool IsNothing() const { return (state_ & (kDrainingMask | 15)) == kNone; }

  void GetReady() {
    // What an outer operation is inside of stays as it is.
    if (depth_ == 0) {
      const unsigned asked =
          handover_->asked_.load(std::memory_order_acquire) &
          DrainingOf(state_) &
          slot_->holds[number_].load(std::memory_order_relaxed);
      if (asked != 0) handover_->LetGo(slot_, asked);
    }
    if (!has_current()) return;
    Use(current());
    if (depth_ == 0 && internal::BarrierReachesAll()) {
      slot_->ready[number_].store(state_, std::memory_order_release);
    }
  }

  Handover* const handover_;
  Slot* slot_ = nullptr;
  bool is_locked_ = false;
  uint32_t depth_ = 0;
  uint32_t number_ = 0;
  uint64_t state_;
  unsigned touched_ = 0;
};

// ---- Operations ----------------------------------------------------------------

// The thread may come to have a cache of the instance.
const InstanceFunctions& Handover::Use(unsigned place, Slot* slot) {
  const auto bit = static_cast<uint16_t>(1u << place);
  std::atomic<uint16_t>& holds =
      slot->holds[number_.load(std::memory_order_relaxed)];
  const uint16_t held = holds.load(std::memory_order_relaxed);
  if ((held & bit) == 0) {
    places_[place].entries.fetch_add(1);
    holds.store(held | bit, std::memory_order_release);
  }
  return places_[place].functions;
}

// The place of the one that is draining and whose block it is, or kNone.
unsigned Handover::FindOld(const void* block, uint64_t state) const {
  for (unsigned draining = DrainingOf(state); draining != 0;
       draining &= draining - 1) {
    const unsigned place = std::countr_zero(draining);
    if (places_[place].functions.owns(block) != 0) return place;
  }
  return kNone;
}

void* Handover::AllocateSlowly(size_t size) {
  Visit visit(this);
  if (!visit.has_current()) return nullptr;
  return visit.Use(visit.current()).malloc(size);
}

void* Handover::AllocateZeroed(size_t count, size_t size) {
  Visit visit(this);
  if (!visit.has_current()) return nullptr;
  return visit.Use(visit.current()).calloc(count, size);
}

void* Handover::AllocateAligned(size_t alignment, size_t size) {
  Visit visit(this);
  if (!visit.has_current()) return nullptr;
  return visit.Use(visit.current()).aligned_alloc(alignment, size);
}

void Handover::FreeSlowly(void* block) {
  if (block == nullptr) return;
  Visit visit(this);
  visit.Use(visit.OwnerOf(block)).free(block);
}

// Of a thread that is inside, and ready.
void Handover::FreeOld(void* block, Slot* slot, uint64_t state) {
  if (block == nullptr) return;
  const unsigned owner = FindOld(block, state);
  // The current one is to complain.
  Use(owner != kNone ? owner : CurrentOf(state), slot).free(block);
}

void* Handover::Resize(void* block, size_t size) {
  if (block == nullptr) return Allocate(size);
  Visit visit(this);
  const unsigned owner = visit.OwnerOf(block);
  const InstanceFunctions& old = visit.Use(owner);
  if (owner == visit.current()) return old.realloc(block, size);
  if (size == 0) {
    old.free(block);
    return nullptr;
  }
  const size_t usable = old.malloc_usable_size(block);
  void* const moved =
      visit.has_current() ? visit.Use(visit.current()).malloc(size) : nullptr;
  if (moved == nullptr) return size <= usable ? block : nullptr;
  Copy(moved, block, size < usable ? size : usable);
  old.free(block);
  return moved;
}

size_t Handover::UsableSize(const void* block) {
  if (block == nullptr) return 0;
  Visit visit(this);
  return visit.FunctionsOf(visit.OwnerOf(block)).malloc_usable_size(block);
}

bool Handover::Owns(const void* address) {
  Visit visit(this);
  return visit.FindOwner(address) != kNone;
}

// ---- Threads -------------------------------------------------------------------

// What is held cannot be shut down by others.
void Handover::LetGo(Slot* slot, unsigned places) {
  std::atomic<uint16_t>& holds =
      slot->holds[number_.load(std::memory_order_relaxed)];
  for (unsigned rest = places; rest != 0; rest &= rest - 1) {
    places_[std::countr_zero(rest)].functions.thread_detach();
  }
  holds.store(
      static_cast<uint16_t>(holds.load(std::memory_order_relaxed) & ~places),
      std::memory_order_release);
}

void Handover::LeaveAs(Handover* handover, Slot* slot) {
  const uint32_t number = handover->number_.load(std::memory_order_relaxed);
  slot->ready[number].store(internal::kNoState, std::memory_order_relaxed);
  handover->LetGo(slot, slot->holds[number].load(std::memory_order_relaxed));
}

void Handover::Leave() {
  Slot* const slot = internal::t_slot;
  const uint32_t number = number_.load(std::memory_order_relaxed);
  if (slot->holds[number].load(std::memory_order_relaxed) == 0) return;
  // Not from within an operation.
  if (slot->depth.load(std::memory_order_relaxed) == 0) LeaveAs(this, slot);
}

// ---- Handing over --------------------------------------------------------------

bool Handover::TakeNumber() {
  if (number_.load(std::memory_order_relaxed) != 0) return true;
  for (uint32_t number = 1; number <= internal::kHandoversMax; ++number) {
    if (internal::g_handovers[number] != nullptr) continue;
    internal::g_handovers[number] = this;
    number_.store(number, std::memory_order_relaxed);
    return true;
  }
  return false;
}

// Instances are told apart by where their malloc is.
unsigned Handover::PlaceOf(const InstanceFunctions& functions) const {
  for (unsigned place = 0; place < kPlaces; ++place) {
    if (places_[place].used &&
        places_[place].functions.malloc == functions.malloc) {
      return place;
    }
  }
  return kNone;
}

unsigned Handover::FreePlace() const {
  for (unsigned place = 0; place < kPlaces; ++place) {
    if (!places_[place].used) return place;
  }
  return kNone;
}

void Handover::StartDraining(unsigned place, uint64_t since) {
  drains_[place] = {.since = since};
  asked_.fetch_and(~(1u << place));
}

uint64_t Handover::Publish(unsigned current, unsigned draining) {
  const uint64_t before = state_.load(std::memory_order_relaxed);
  const uint64_t change = (before >> kChangeShift) + 1;
  state_.store(change << kChangeShift | uint64_t{draining} << 4 | current);
  return change;
}

Handover::Status Handover::Replace(const InstanceFunctions& next) {
  if (next.struct_size < sizeof(InstanceFunctions) || !next.malloc ||
      !next.calloc || !next.realloc || !next.aligned_alloc || !next.free ||
      !next.malloc_usable_size || !next.owns || !next.thread_detach ||
      !next.shutdown || !next.version || !next.count_live) {
    return Status::kBadFunctions;
  }
  if (!internal::Start(LeaveAs)) return Status::kNoRoom;
  const std::lock_guard lock(g_control);
  for (const Handover* const other : internal::g_handovers) {
    if (other != nullptr && other != this && other->PlaceOf(next) != kNone) {
      return Status::kIsTaken;
    }
  }
  const uint64_t state = state_.load(std::memory_order_relaxed);
  const unsigned former = CurrentOf(state);
  unsigned draining = DrainingOf(state);
  unsigned place = PlaceOf(next);
  if (place != kNone) {
    if (place == former) return Status::kIsCurrent;
    draining &= ~(1u << place);
  } else {
    place = FreePlace();
    if (place == kNone) return Status::kFull;
    if (!TakeNumber()) return Status::kNoRoom;
    places_[place].used = true;
    places_[place].functions = next;
    places_[place].functions.struct_size = sizeof(InstanceFunctions);
  }
  if (former != kNone) draining |= 1u << former;
  const uint64_t change = Publish(place, draining);
  if (former != kNone) StartDraining(former, change);
  return Status::kOk;
}

void Handover::Retire() {
  const std::lock_guard lock(g_control);
  const uint64_t state = state_.load(std::memory_order_relaxed);
  const unsigned former = CurrentOf(state);
  if (former == kNone) return;
  StartDraining(former, Publish(kNone, DrainingOf(state) | 1u << former));
}

// Whether every thread is outside, or inside by a state of this change or a later
// one. A Barrier() lies between the change and this.
bool Handover::HaveAllSeen(uint64_t change) const {
  const uint32_t number = number_.load(std::memory_order_relaxed);
  for (const Slot* slot = internal::FirstSlot(); slot != nullptr;
       slot = slot->next) {
    for (int look = 0;; ++look) {
      if (slot->depth.load() == 0) break;
      if (slot->ready[number].load(std::memory_order_acquire) >> kChangeShift >=
          change) {
        break;
      }
      if (look == kLooks) return false;
      sched_yield();
    }
  }
  return true;
}

unsigned Handover::ThreadsHolding(unsigned place) const {
  const uint32_t number = number_.load(std::memory_order_relaxed);
  unsigned count = 0;
  for (const Slot* slot = internal::FirstSlot(); slot != nullptr;
       slot = slot->next) {
    if (slot != internal::t_slot) {
      count += slot->holds[number].load() >> place & 1;
    }
  }
  return count;
}

bool Handover::IsEmpty(const Place& place, Report* report) {
  const int error =
      place.functions.count_live(&report->blocks, &report->arenas);
  return error == 0 && report->blocks == 0 && report->arenas == 0;
}

Handover::Hold Handover::Finish(unsigned number, Report* report) {
  Place& place = places_[number];
  Drain& drain = drains_[number];
  const unsigned bit = 1u << number;
  const uint64_t state = state_.load(std::memory_order_relaxed);
  const unsigned current = CurrentOf(state);
  const unsigned draining = DrainingOf(state);

  // Once no thread is inside that took it for the current one, nothing is
  // allocated in it any more.
  if (!drain.settled) {
    if (!internal::Barrier() || !HaveAllSeen(drain.since)) return Hold::kCalls;
    drain.settled = true;
  }
  // A guess: threads may be freeing. It only decides whether to ask them to let
  // go, which would be in vain as long as they have blocks to free.
  const bool seems_empty = IsEmpty(place, report);
  const uint64_t entries = place.entries.load();
  if (!internal::Barrier()) return Hold::kCalls;
  report->threads = ThreadsHolding(number);
  if (!seems_empty) return Hold::kBlocks;
  if (report->threads != 0) {
    internal::ReapDead();
    report->threads = ThreadsHolding(number);
  }
  if (report->threads != 0) {
    if ((asked_.load() & bit) == 0 || drain.asked_entries != entries) {
      drain.asked_entries = entries;
      asked_.fetch_or(bit);
      Publish(current, draining);
    }
    return Hold::kThreads;
  }
  // Nobody holds it. If nobody came to while we counted, the count is exact; and
  // if it is 0, it stays so.
  const bool is_empty = IsEmpty(place, report);
  if (!internal::Barrier()) return Hold::kCalls;
  report->threads = ThreadsHolding(number);
  if (place.entries.load() != entries || report->threads != 0) {
    return Hold::kThreads;
  }
  if (!is_empty) return Hold::kBlocks;

  // Nobody has business in it, but may be asking it whether a block is its own.
  const uint64_t change = Publish(current, draining & ~bit);
  Hold hold = Hold::kCalls;
  if (internal::Barrier() && HaveAllSeen(change)) {
    // Those who use it by other ways may have allocated.
    hold = !IsEmpty(place, report)           ? Hold::kBlocks
           : place.functions.shutdown() != 0 ? Hold::kElsewhere
                                             : Hold::kNothing;
  }
  if (hold != Hold::kNothing) {
    Publish(current, draining);
    return hold;
  }
  asked_.fetch_and(~bit);
  place.used = false;
  // What the caller held went with it.
  std::atomic<uint16_t>& holds =
      internal::t_slot->holds[number_.load(std::memory_order_relaxed)];
  const uint16_t held = holds.load(std::memory_order_relaxed);
  if ((held & bit) != 0) {
    holds.store(static_cast<uint16_t>(held & ~bit), std::memory_order_relaxed);
  }
  return hold;
}

Handover::Reports Handover::TryFinish() {
  const std::lock_guard lock(g_control);
  Reports reports;
  for (unsigned draining = DrainingOf(state_.load(std::memory_order_relaxed));
       draining != 0; draining &= draining - 1) {
    const unsigned place = std::countr_zero(draining);
    Report& report = reports.items[reports.size++];
    report = {places_[place].functions, Hold::kNothing, 0, 0, 0};
    report.hold = Finish(place, &report);
  }
  return reports;
}

size_t Handover::Draining() const {
  return static_cast<size_t>(
      std::popcount(DrainingOf(state_.load(std::memory_order_relaxed))));
}

void Handover::Close() {
  const std::lock_guard lock(g_control);
  const uint32_t number = number_.load(std::memory_order_relaxed);
  if (number == 0) return;
  for (Slot* slot = internal::FirstSlot(); slot != nullptr; slot = slot->next) {
    slot->ready[number].store(internal::kNoState, std::memory_order_relaxed);
    slot->holds[number].store(0, std::memory_order_relaxed);
  }
  internal::g_handovers[number] = nullptr;
  number_.store(0, std::memory_order_relaxed);
  state_.store(kNone);
  asked_.store(0);
  for (Place& place : places_) place.used = false;
}

}  // namespace alcove
