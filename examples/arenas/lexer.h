// JSON as tokens, by the letter of RFC 8259. Allocates nothing, but for errors.
#ifndef EXAMPLES_ARENAS_LEXER_H_
#define EXAMPLES_ARENAS_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "absl/strings/string_view.h"

namespace arenas {

// What is wrong with a text, and where: "line 2, column 7: ...". A column is a
// character. Its memory is malloc's: an error outlives the arena.
class ParseError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws the error for the byte at `at`.
[[noreturn]] void FailAt(absl::string_view text, size_t at,
                         absl::string_view what);

enum class Kind {
  kEnd,
  kNull,
  kTrue,
  kFalse,
  kNumber,
  kString,
  kBeginArray,
  kEndArray,
  kBeginObject,
  kEndObject,
  kComma,
  kColon,
};

// "','", "a string", "the end of the text".
absl::string_view Describe(Kind kind);

struct Token {
  Kind kind;
  size_t at;               // of its first byte
  absl::string_view text;  // kString: what is between the quotes, escaped
  double number;           // kNumber
};

// Numbers are doubles, and must not be beyond them.
class Lexer {
 public:
  explicit Lexer(absl::string_view text) : text_(text) {}

  // The next token; kEnd at the end, again and again.
  Token Next();

  [[noreturn]] void Fail(size_t at, absl::string_view what) const {
    FailAt(text_, at, what);
  }

 private:
  Token Word(absl::string_view word, Kind kind);
  Token Number();
  Token String();
  // These move `at` over what they found.
  void Digits(size_t& at) const;
  void Escape(size_t& at) const;
  uint32_t Unit(size_t& at) const;  // of UTF-16: "\u" and four digits

  char Peek(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  absl::string_view text_;
  size_t at_ = 0;
};

// Writes what the text of a kString means to `out`, which has room for
// text.size() bytes: it never grows. Returns its size.
size_t Unescape(absl::string_view text, char* out);

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_LEXER_H_
