#include "core/base/fork_generation.h"

#include "core/base/bits.h"

namespace ALCOVE_CORE_NAMESPACE {

ALCOVE_COLD void ForkGeneration::Watch() {
  Atomic<uint32_t>* before = page_.Load(Order::kAcquire);
  if (before != nullptr) return;
  auto* const page = static_cast<Atomic<uint32_t>*>(
      platform::MapWipedByFork(platform::PageSize()));
  if (page == nullptr) return;
  // What those who did not look at it went by.
  page->Store(MarkOf(last_.Load(Order::kRelaxed)), Order::kRelaxed);
  if (!page_.CompareExchange(before, page, Order::kAcqRel))
    platform::Unmap(page, platform::PageSize());  // another was faster
}

ALCOVE_COLD void ForkGeneration::Release() {
  Atomic<uint32_t>* const page = page_.Exchange(nullptr, Order::kAcqRel);
  if (page != nullptr) platform::Unmap(page, platform::PageSize());
}

ALCOVE_COLD bool ForkGeneration::MayBeThere(uint64_t thread) {
  if (thread >> 32 != Generation()) return false;
  const auto id = static_cast<platform::ThreadId>(thread);
  return platform::ThreadMayBeAlive(id) || platform::SharesMemory(id);
}

ALCOVE_COLD size_t ForkGeneration::bytes() const {
  return watches() ? platform::PageSize() : 0;
}

}  // namespace ALCOVE_CORE_NAMESPACE
