#include "examples/arenas/lexer.h"

#include <cstring>
#include <string>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/charconv.h"
#include "absl/strings/str_cat.h"
#include "examples/arenas/utf8.h"

namespace arenas {

namespace {

constexpr uint32_t kHighSurrogate = 0xd800;
constexpr uint32_t kLowSurrogate = 0xdc00;
constexpr uint32_t kSurrogatesEnd = 0xe000;

bool IsHigh(uint32_t unit) {
  return unit >= kHighSurrogate && unit < kLowSurrogate;
}
bool IsLow(uint32_t unit) {
  return unit >= kLowSurrogate && unit < kSurrogatesEnd;
}

uint32_t HexDigit(char c) {
  return absl::ascii_isdigit(c) ? c - '0' : absl::ascii_tolower(c) - 'a' + 10;
}

// Four digits that are known to be there.
uint32_t Hex4(const char* digits) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 4 | HexDigit(digits[i]);
  return value;
}

// A byte as it may be shown on any terminal.
std::string Quoted(char c) {
  if (absl::ascii_isprint(c)) return absl::StrCat("'", std::string(1, c), "'");
  return absl::StrCat(
      "the byte 0x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
}

}  // namespace

void FailAt(absl::string_view text, size_t at, absl::string_view what) {
  size_t line = 1;
  size_t column = 1;
  for (const char c : text.substr(0, at)) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else if ((c & 0xc0) != 0x80) {  // not inside a character
      ++column;
    }
  }
  throw ParseError(
      absl::StrCat("line ", line, ", column ", column, ": ", what));
}

absl::string_view Describe(Kind kind) {
  switch (kind) {
    case Kind::kEnd:
      return "the end of the text";
    case Kind::kNull:
      return "null";
    case Kind::kTrue:
      return "true";
    case Kind::kFalse:
      return "false";
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "a string";
    case Kind::kBeginArray:
      return "'['";
    case Kind::kEndArray:
      return "']'";
    case Kind::kBeginObject:
      return "'{'";
    case Kind::kEndObject:
      return "'}'";
    case Kind::kComma:
      return "','";
    case Kind::kColon:
      return "':'";
  }
  return "";
}

Token Lexer::Next() {
  while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr &&
         text_[at_] != '\0') {
    ++at_;
  }
  if (at_ == text_.size()) return {Kind::kEnd, at_, {}, 0};
  const auto sign = [this](Kind kind) { return Token{kind, at_++, {}, 0}; };
  switch (text_[at_]) {
    case '[':
      return sign(Kind::kBeginArray);
    case ']':
      return sign(Kind::kEndArray);
    case '{':
      return sign(Kind::kBeginObject);
    case '}':
      return sign(Kind::kEndObject);
    case ',':
      return sign(Kind::kComma);
    case ':':
      return sign(Kind::kColon);
    case '"':
      return String();
    case 'n':
      return Word("null", Kind::kNull);
    case 't':
      return Word("true", Kind::kTrue);
    case 'f':
      return Word("false", Kind::kFalse);
    default:
      break;
  }
  if (text_[at_] == '-' || absl::ascii_isdigit(text_[at_])) return Number();
  Fail(at_, absl::StrCat(Quoted(text_[at_]), " begins no value"));
}

Token Lexer::Word(absl::string_view word, Kind kind) {
  const size_t begin = at_;
  if (text_.substr(begin, word.size()) != word ||
      absl::ascii_isalnum(Peek(begin + word.size()))) {
    Fail(begin,
         absl::StrCat("this is no value; is it meant to be ", word, "?"));
  }
  at_ += word.size();
  return {kind, begin, {}, 0};
}

void Lexer::Digits(size_t& at) const {
  if (!absl::ascii_isdigit(Peek(at))) Fail(at, "a digit is missing");
  while (absl::ascii_isdigit(Peek(at))) ++at;
}

Token Lexer::Number() {
  const size_t begin = at_;
  size_t at = begin;
  if (Peek(at) == '-') ++at;
  if (Peek(at) == '0') {
    ++at;
    if (absl::ascii_isdigit(Peek(at))) Fail(at, "a number begins with a 0");
  } else {
    Digits(at);
  }
  if (Peek(at) == '.') Digits(++at);
  if (Peek(at) == 'e' || Peek(at) == 'E') {
    ++at;
    if (Peek(at) == '+' || Peek(at) == '-') ++at;
    Digits(at);
  }
  double number = 0;
  const absl::from_chars_result result =
      absl::from_chars(text_.data() + begin, text_.data() + at, number);
  // It tells of numbers that are too small, too, and makes them 0.
  if (result.ec == std::errc::result_out_of_range &&
      (number > 1 || number < -1)) {
    Fail(begin, "a number is beyond the range of a double");
  }
  at_ = at;
  return {Kind::kNumber, begin, {}, number};
}

Token Lexer::String() {
  const size_t begin = at_;
  size_t at = begin + 1;
  while (true) {
    if (at == text_.size()) Fail(begin, "a string has no end");
    const unsigned char c = text_[at];
    if (c == '"') break;
    if (c == '\\') {
      Escape(at);
    } else if (c < 0x20) {
      Fail(at, absl::StrCat(Quoted(text_[at]),
                            " has to be written as an escape in a string"));
    } else if (c < 0x80) {
      ++at;
    } else {
      const size_t size = CharacterSize(text_.substr(at, 4));
      if (size == 0) {
        Fail(at, absl::StrCat(Quoted(text_[at]), " is not valid UTF-8"));
      }
      at += size;
    }
  }
  at_ = at + 1;
  return {Kind::kString, begin, text_.substr(begin + 1, at - begin - 1), 0};
}

void Lexer::Escape(size_t& at) const {
  const char c = Peek(at + 1);
  if (c == 'u') {
    const size_t begin = at;
    const uint32_t unit = Unit(at);
    if (IsHigh(unit) && Peek(at) == '\\' && Peek(at + 1) == 'u' &&
        IsLow(Unit(at))) {
      return;
    }
    if (IsHigh(unit) || IsLow(unit)) {
      Fail(begin, "half of a pair of surrogates stands alone");
    }
  } else if (c != '\0' && std::strchr("\"\\/bfnrt", c) != nullptr) {
    at += 2;
  } else {
    Fail(at, "no escape begins like this");
  }
}

uint32_t Lexer::Unit(size_t& at) const {
  for (size_t i = at + 2; i < at + 6; ++i) {
    if (!absl::ascii_isxdigit(Peek(i))) {
      Fail(at, "four hexadecimal digits are missing behind \\u");
    }
  }
  const uint32_t unit = Hex4(text_.data() + at + 2);
  at += 6;
  return unit;
}

size_t Unescape(absl::string_view text, char* out) {
  char* end = out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      *end++ = text[at++];
      continue;
    }
    const char c = text[at + 1];
    at += 2;
    switch (c) {
      case 'b':
        *end++ = '\b';
        break;
      case 'f':
        *end++ = '\f';
        break;
      case 'n':
        *end++ = '\n';
        break;
      case 'r':
        *end++ = '\r';
        break;
      case 't':
        *end++ = '\t';
        break;
      case 'u': {
        uint32_t character = Hex4(text.data() + at);
        at += 4;
        if (IsHigh(character)) {  // the other half is known to follow
          const uint32_t low = Hex4(text.data() + at + 2);
          at += 6;
          character = 0x10000 + ((character - kHighSurrogate) << 10) +
                      (low - kLowSurrogate);
        }
        end += EncodeCharacter(character, end);
        break;
      }
      default:
        *end++ = c;  // itself: a quote, a slash or a backslash
    }
  }
  return end - out;
}

}  // namespace arenas
