// The index: a hash map all of whose memory is the instance `catalog_`, by
// allocator<T>.
#ifndef EXAMPLES_COEXIST_INDEX_H_
#define EXAMPLES_COEXIST_INDEX_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "examples/coexist/catalog_heap.h"
#include "examples/coexist/text.h"

namespace coexist {

using IndexString =
    std::basic_string<char, std::char_traits<char>, catalog::allocator<char>>;
using Places = std::vector<Place, catalog::allocator<Place>>;

// Views look words up, so that no string is made only to be compared.
struct WordHash {
  using is_transparent = void;
  size_t operator()(absl::string_view word) const { return absl::HashOf(word); }
  size_t operator()(const IndexString& word) const {
    return (*this)(absl::string_view(word.data(), word.size()));
  }
};

struct WordEqual {
  using is_transparent = void;
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return absl::string_view(a.data(), a.size()) ==
           absl::string_view(b.data(), b.size());
  }
};

// Where each word occurs. Every indexer thread has one of its own, for its
// share of words.
using Index = absl::flat_hash_map<
    IndexString, Places, WordHash, WordEqual,
    catalog::allocator<std::pair<const IndexString, Places>>>;

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_INDEX_H_
