// A cache of values under keys, with a bound on its bytes: memcached, or Redis
// with maxmemory and an LRU policy. An entry is three blocks (entry, key,
// value) of which the value changes its size when it is set again; the oldest
// go when the bound is reached. redis-benchmark and mimalloc-bench's redis row
// do it with the server itself.
#include <cstring>

#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kBuckets = 1 << 16;
constexpr size_t kKeys = 200000;

struct Entry {
  Entry* chain;
  Entry* newer;
  Entry* older;
  char* key;
  char* value;
  uint32_t id;
  uint32_t value_size;
};

class LruCache {
 public:
  explicit LruCache(size_t bound) : buckets_(kBuckets), bound_(bound) {
    ends_.newer = ends_.older = &ends_;
  }
  ~LruCache() {
    while (ends_.newer != &ends_) Evict(ends_.newer);
  }

  bool Get(uint32_t id) {
    Entry* entry = *Find(id);
    if (entry == nullptr) return false;
    if (entry->value[0] != 1) Fail("a value was overwritten");
    Unlink(entry);
    LinkAsNewest(entry);
    return true;
  }

  void Set(uint32_t id, size_t value_size) {
    Entry** place = Find(id);
    if (*place == nullptr) {
      auto* entry = static_cast<Entry*>(Allocate(sizeof(Entry)));
      *entry = {};
      entry->id = id;
      char key[32];
      const int size = std::snprintf(key, sizeof(key), "user:%u:session", id);
      entry->key = static_cast<char*>(Allocate(size + 1));
      std::memcpy(entry->key, key, size + 1);
      *place = entry;
    } else {
      Unlink(*place);
    }
    Entry* entry = *place;
    entry->value = static_cast<char*>(std::realloc(entry->value, value_size));
    if (entry->value == nullptr) Fail("realloc gave null");
    TouchPages(entry->value, value_size);
    bytes_ += value_size - entry->value_size;
    entry->value_size = static_cast<uint32_t>(value_size);
    LinkAsNewest(entry);
    // `newer` of the ends is the oldest: the list is a ring.
    while (bytes_ > bound_) Evict(ends_.newer);
  }

 private:
  Entry** Find(uint32_t id) {
    Entry** place = &buckets_[(id * 2654435761u) % kBuckets];
    while (*place != nullptr && (*place)->id != id) place = &(*place)->chain;
    return place;
  }
  void Unlink(Entry* entry) {
    entry->newer->older = entry->older;
    entry->older->newer = entry->newer;
  }
  void LinkAsNewest(Entry* entry) {
    entry->older = ends_.older;
    entry->newer = &ends_;
    ends_.older->newer = entry;
    ends_.older = entry;
  }
  void Evict(Entry* entry) {
    *Find(entry->id) = entry->chain;
    Unlink(entry);
    bytes_ -= entry->value_size;
    std::free(entry->value);
    std::free(entry->key);
    std::free(entry);
  }

  Table<Entry*> buckets_;
  Entry ends_ = {};
  size_t bound_;
  size_t bytes_ = 0;
};

void Lru(Run& run, const Workload&) {
  const Sizes sizes(32, 16384, Spread::kManySmall);
  const size_t requests = run.Times(2000000);
  Random random(9);
  size_t hits = 0;
  run.Start();
  {
    LruCache cache(size_t{20} << 20);
    for (size_t i = 0; i < requests; ++i) {
      // Some keys are asked for more often than others.
      const auto id = static_cast<uint32_t>(
          random.Below(kKeys) * static_cast<uint64_t>(random.Below(kKeys)) /
          kKeys);
      if (random.Below(3) == 0 || !cache.Get(id)) {
        cache.Set(id, sizes(random.Next() >> 40));
      } else {
        ++hits;
      }
    }
  }
  run.Stop(requests);
  Use(&hits);
}

constexpr Workload kRows[] = {
    {"lru_cache", "a bounded cache of values under keys, as memcached or Redis",
     Lru},
};

}  // namespace

std::span<const Workload> LruCacheRows() { return kRows; }

}  // namespace bench
