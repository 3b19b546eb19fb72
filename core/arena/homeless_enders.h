// Threads without a heap that end a child of an arena: they say so here, as others do
// in their heaps' tenancies (ending.h).
#ifndef ALCOVE_CORE_ARENA_HOMELESS_ENDERS_H_
#define ALCOVE_CORE_ARENA_HOMELESS_ENDERS_H_

#include "core/base/thread_places.h"

namespace ALCOVE_CORE_NAMESPACE {

class HomelessEnders {
 public:
  constexpr HomelessEnders() = default;

  // For as long as it lives, the calling thread has a place here, if it has no heap and
  // there is one.
  class Place {
   public:
    Place(HomelessEnders* enders, bool is_homeless, ForkGeneration* generation)
        : enders_(enders),
          place_(is_homeless ? enders->places_.Enter(generation)
                             : ThreadPlaces<kPlaces>::kNone) {}
    ~Place() {
      if (place_ != ThreadPlaces<kPlaces>::kNone)
        enders_->places_.Leave(place_);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    // Where it says what it ends; null: it has no place.
    Atomic<uint64_t>* ending() {
      return place_ == ThreadPlaces<kPlaces>::kNone ? nullptr
                                                    : &enders_->ending_[place_];
    }

   private:
    HomelessEnders* const enders_;
    const unsigned place_;
  };

  // Whether a living thread other than the caller says here that it ends `what`.
  bool SomebodyEnds(uint64_t what, ForkGeneration* generation) const {
    for (unsigned i = 0; i < kPlaces; ++i) {
      if (ending_[i].Load(Order::kAcquire) != what) continue;
      const uint64_t thread = places_.thread(i);
      if (thread != 0 && thread != generation->Thread() &&
          generation->MayBeThere(thread))
        return true;
    }
    return false;
  }

  void Reset() {
    places_.Reset();
    for (Atomic<uint64_t>& what : ending_) what.Store(0, Order::kRelaxed);
  }

 private:
  static constexpr unsigned kPlaces = 16;

  ThreadPlaces<kPlaces> places_;
  Atomic<uint64_t> ending_[kPlaces];
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_ARENA_HOMELESS_ENDERS_H_
