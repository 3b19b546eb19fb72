// What a word is: letters, digits and underscores in a row, and any byte of a
// UTF-8 sequence; not beginning with a digit. Case does not count.
#ifndef EXAMPLES_COEXIST_TEXT_H_
#define EXAMPLES_COEXIST_TEXT_H_

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace coexist {

// Where a word occurs.
struct Place {
  uint32_t file;  // its index among the files read
  uint32_t line;  // from 1

  friend bool operator==(Place, Place) = default;
  friend auto operator<=>(Place, Place) = default;
};

inline bool IsWordByte(unsigned char c) {
  return absl::ascii_isalnum(c) || c == '_' || c >= 0x80;
}

// Calls visit(word, line) for each word of the text, in order. The word is as
// in the text: the visitor lowers its case.
template <typename Visit>
void ForEachWord(absl::string_view text, Visit visit) {
  uint32_t line = 1;
  size_t at = 0;
  while (at < text.size()) {
    if (!IsWordByte(text[at])) {
      line += text[at] == '\n';
      ++at;
      continue;
    }
    size_t end = at + 1;
    while (end < text.size() && IsWordByte(text[end])) ++end;
    if (!absl::ascii_isdigit(text[at])) visit(text.substr(at, end - at), line);
    at = end;
  }
}

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_TEXT_H_
