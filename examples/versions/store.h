// The subsystem of which the program has two versions: a store of texts that any
// number of threads use, all of it in the memory that Allocator gives it.
#ifndef EXAMPLES_VERSIONS_STORE_H_
#define EXAMPLES_VERSIONS_STORE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace versions {

template <template <typename> typename Allocator>
class Store {
 public:
  using Text = std::basic_string<char, std::char_traits<char>, Allocator<char>>;

  void Put(uint64_t key, std::string_view text) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    shard.texts.insert_or_assign(key, Text(text));
  }

  // Calls `use` with the text, while nobody changes it; false if there is none.
  template <typename Use>
  bool Get(uint64_t key, const Use& use) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.texts.find(key);
    if (found == shard.texts.end()) return false;
    use(found->second);
    return true;
  }

  bool Remove(uint64_t key) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    return shard.texts.erase(key) != 0;
  }

 private:
  using Texts =
      std::unordered_map<uint64_t, Text, std::hash<uint64_t>, std::equal_to<>,
                         Allocator<std::pair<const uint64_t, Text>>>;
  struct Shard {
    std::mutex mutex;
    Texts texts;
  };

  Shard& ShardOf(uint64_t key) { return shards_[key % shards_.size()]; }

  std::array<Shard, 16> shards_;
};

}  // namespace versions

#endif  // EXAMPLES_VERSIONS_STORE_H_
