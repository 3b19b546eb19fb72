// JSON from tree to text, in the one form that equal trees share: members in
// the order of their keys, no white space, numbers and escapes as short as they
// can be.
#ifndef EXAMPLES_ARENAS_WRITER_H_
#define EXAMPLES_ARENAS_WRITER_H_

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <memory_resource>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "examples/arenas/tree.h"

namespace arenas {

// Appends the string and its quotes.
void WriteString(absl::string_view string, std::pmr::string& out);

// Appends the value. What it needs on the way is of out's memory, too.
template <typename A>
void Write(const Value<A>& value, std::pmr::string& out) {
  const auto write = [&out](const auto& is) {
    using T = std::decay_t<decltype(is)>;
    if constexpr (std::is_same_v<T, std::monostate>) {
      out += "null";
    } else if constexpr (std::is_same_v<T, bool>) {
      out += is ? "true" : "false";
    } else if constexpr (std::is_same_v<T, double>) {
      char digits[32];
      out.append(digits, std::to_chars(digits, std::end(digits), is).ptr);
    } else if constexpr (std::is_same_v<T, String<A>>) {
      WriteString(View<A>(is), out);
    } else if constexpr (std::is_same_v<T, typename Value<A>::Array>) {
      out += '[';
      for (const Value<A>& element : is) {
        if (&element != &is.front()) out += ',';
        Write(element, out);
      }
      out += ']';
    } else {
      using Member = typename Object<A>::Members::value_type;
      std::pmr::vector<const Member*> order(out.get_allocator());
      order.reserve(is->members.size());
      for (const Member& member : is->members) order.push_back(&member);
      std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
        return a->first < b->first;
      });
      out += '{';
      for (const Member* member : order) {
        if (member != order.front()) out += ',';
        WriteString(View<A>(member->first), out);
        out += ':';
        Write(member->second, out);
      }
      out += '}';
    }
  };
  std::visit(write, value.is);
}

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_WRITER_H_
