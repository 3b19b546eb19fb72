// A tree in three numbers, each found by a walk over all of it.
#ifndef EXAMPLES_ARENAS_DIGEST_H_
#define EXAMPLES_ARENAS_DIGEST_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <variant>

#include "absl/strings/string_view.h"
#include "examples/arenas/tree.h"

namespace arenas {

struct Digest {
  uint64_t values = 0;    // nodes of the tree
  int depth = 0;          // arrays and objects within each other
  uint64_t checksum = 0;  // the same for equal trees, in every run

  friend bool operator==(const Digest&, const Digest&) = default;
};

// FNV-1a; absl::Hash is another in each process.
inline uint64_t Mix(uint64_t sum, const void* bytes, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    sum ^= static_cast<const unsigned char*>(bytes)[i];
    sum *= 0x100000001b3;
  }
  return sum;
}

template <typename A>
Digest Digested(const Value<A>& value) {
  // A value's type is a part of it.
  const size_t type = value.is.index();
  constexpr uint64_t kBasis = 0xcbf29ce484222325;
  Digest digest = {1, 0, Mix(kBasis, &type, sizeof(type))};
  const auto take = [&digest](const Value<A>& child) {
    const Digest one = Digested(child);
    digest.values += one.values;
    digest.depth = std::max(digest.depth, one.depth);
    return one.checksum;
  };
  const auto visit = [&](const auto& is) {
    using T = std::decay_t<decltype(is)>;
    uint64_t& sum = digest.checksum;
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, double>) {
      sum = Mix(sum, &is, sizeof(is));
    } else if constexpr (std::is_same_v<T, String<A>>) {
      sum = Mix(sum, is.data(), is.size());
    } else if constexpr (std::is_same_v<T, typename Value<A>::Array>) {
      for (const Value<A>& element : is) {
        const uint64_t one = take(element);
        sum = Mix(sum, &one, sizeof(one));
      }
      ++digest.depth;
    } else if constexpr (std::is_same_v<T, ObjectPointer<A>>) {
      // A hash map's order is its own: members are added up.
      uint64_t members = 0;
      for (const auto& [key, member] : is->members) {
        const uint64_t one = take(member);
        members += Mix(Mix(kBasis, key.data(), key.size()), &one, sizeof(one));
      }
      sum = Mix(sum, &members, sizeof(members));
      ++digest.depth;
    }
  };
  std::visit(visit, value.is);
  return digest;
}

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_DIGEST_H_
