// All that is made of one request's text: the work of the server. It is the
// same in an arena and for the reference.
#ifndef EXAMPLES_ARENAS_REPLY_H_
#define EXAMPLES_ARENAS_REPLY_H_

#include <memory_resource>
#include <string>

#include "absl/strings/string_view.h"
#include "examples/arenas/digest.h"
#include "examples/arenas/parser.h"
#include "examples/arenas/tree.h"
#include "examples/arenas/writer.h"

namespace arenas {

// `allocator` and `memory` are two doors to one arena: of containers whose type
// has an allocator, and of std::pmr's.
template <typename A>
struct Reply {
  Reply(absl::string_view text, const A& allocator,
        std::pmr::memory_resource* memory)
      : tree(Parse(text, allocator)),
        digest(Digested(tree)),
        canonical(memory) {
    canonical.reserve(text.size());
    Write(tree, canonical);
  }

  Value<A> tree;
  Digest digest;
  std::pmr::string canonical;
};

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_REPLY_H_
