#include "core/region/store.h"

#include "core/base/new.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// Address space; pages are touched as they are used.
constexpr size_t kChunk =
    Config::kSystemMemory ? size_t{256} << 10 : size_t{kUnit};

}  // namespace

ALCOVE_COLD void* Store::Take(size_t size) {
  size = RoundUp(size, kStoreGranule);
  for (;;) {
    Chunk* chunk = chunks_.Load(Order::kAcquire);
    if (chunk != nullptr) {
      const size_t at = chunk->used.FetchAdd(size, Order::kRelaxed);
      if (at + size <= kChunk) return reinterpret_cast<char*>(chunk) + at;
    }
    void* const memory = region_.Load(Order::kRelaxed)->TakePages(kChunk);
    if (memory == nullptr) return nullptr;
    Chunk* const fresh = Construct<Chunk>(memory);
    fresh->before = chunk;
    fresh->used.Store(kStoreGranule, Order::kRelaxed);
    if (!chunks_.CompareExchange(chunk, fresh, Order::kAcqRel))
      region_.Load(Order::kRelaxed)
          ->GivePages(memory, kChunk);  // another thread was faster
  }
}

ALCOVE_COLD void Store::Release() {
  Chunk* chunk = chunks_.Exchange(nullptr, Order::kAcquire);
  while (chunk != nullptr) {
    Chunk* const before = chunk->before;
    region_.Load(Order::kRelaxed)->GivePages(chunk, kChunk);
    chunk = before;
  }
}

size_t Store::mapped() const {
  size_t bytes = 0;
  for (const Chunk* chunk = chunks_.Load(Order::kAcquire); chunk != nullptr;
       chunk = chunk->before) {
    bytes += kChunk;
  }
  return bytes;
}

}  // namespace ALCOVE_CORE_NAMESPACE
