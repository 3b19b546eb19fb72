// What a heap has of the knobs that make the next block hard to foresee.
#include "core/heap/checks.h"
#include "core/heap/instance.h"

namespace ALCOVE_CORE_NAMESPACE {

ALCOVE_COLD void Heap::Reseed() {
  if constexpr (Config::kUsesRandom) {
    uint64_t fresh = 0;
    // Where the system gives none, the secret has to do.
    platform::Entropy(&fresh, sizeof(fresh));
    random_.Seed(Mix(instance_->secret.Get() + number()) ^ fresh ^
                 platform::Ticks());
  }
}

void Heap::FreeLater(SizeClass c, void* block) {
  if constexpr (Config::kReuseDelay != 0) {
    void* const due = delay_.Put(c, block, random_.Below(delay_.Half(c)));
    if (due == nullptr) return;
    CheckStillFreed(c, due);
    block = due;
  }
  ReturnBlock(c, block);
}

ALCOVE_COLD void Heap::ReleaseDelayed(SizeClass c) {
  delay_.ForEachSlot(c, [&](void** slot) {
    void* block = *slot;
    CheckStillFreed(c, block);
    *slot = nullptr;
    KeepOrder();
    Flush(c, &block, 1);
  });
  delay_.Forget(c);
}

}  // namespace ALCOVE_CORE_NAMESPACE
