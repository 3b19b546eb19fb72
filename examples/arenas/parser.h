// JSON from text to tree.
#ifndef EXAMPLES_ARENAS_PARSER_H_
#define EXAMPLES_ARENAS_PARSER_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "examples/arenas/lexer.h"
#include "examples/arenas/tree.h"

namespace arenas {

// Arrays and objects within each other. The parser, and whoever walks a tree,
// calls itself for each: this is what keeps them on their stack.
inline constexpr int kDepthMax = 500;

template <typename A>
class Parser {
 public:
  Parser(absl::string_view text, const A& allocator)
      : lexer_(text), allocator_(allocator) {}

  Value<A> Parse() {
    Value<A> value = ParseValue(lexer_.Next(), 0);
    Expect(lexer_.Next(), Kind::kEnd);
    return value;
  }

 private:
  // `depth` counts what is around the value.
  Value<A> ParseValue(const Token& token, int depth) {
    switch (token.kind) {
      case Kind::kNull:
        return {};
      case Kind::kTrue:
        return {true};
      case Kind::kFalse:
        return {false};
      case Kind::kNumber:
        return {token.number};
      case Kind::kString:
        return {ParseString(token)};
      case Kind::kBeginArray:
        return ParseArray(token, depth + 1);
      case Kind::kBeginObject:
        return ParseObject(token, depth + 1);
      default:
        lexer_.Fail(token.at, absl::StrCat("a value is missing before ",
                                           Describe(token.kind)));
    }
  }

  String<A> ParseString(const Token& token) {
    String<A> string(token.text.size(), '\0', allocator_);
    string.resize(Unescape(token.text, string.data()));
    return string;
  }

  Value<A> ParseArray(const Token& begin, int depth) {
    CheckDepth(begin, depth);
    typename Value<A>::Array array(allocator_);
    Token token = lexer_.Next();
    while (token.kind != Kind::kEndArray) {
      array.push_back(ParseValue(token, depth));
      token = lexer_.Next();
      if (token.kind == Kind::kEndArray) break;
      Expect(token, Kind::kComma, Kind::kEndArray);
      token = lexer_.Next();
      RefuseEnd(token, Kind::kEndArray);
    }
    return {std::move(array)};
  }

  struct Member {
    size_t at;  // of the key
    String<A> key;
    Value<A> value;
  };
  using Members = std::vector<Member, Rebind<Member, A>>;

  Value<A> ParseObject(const Token& begin, int depth) {
    CheckDepth(begin, depth);
    Members members(allocator_);
    Token token = lexer_.Next();
    while (token.kind != Kind::kEndObject) {
      Expect(token, Kind::kString, Kind::kEndObject);
      String<A> key = ParseString(token);
      Expect(lexer_.Next(), Kind::kColon);
      Value<A> value = ParseValue(lexer_.Next(), depth);
      members.push_back({token.at, std::move(key), std::move(value)});
      token = lexer_.Next();
      if (token.kind == Kind::kEndObject) break;
      Expect(token, Kind::kComma, Kind::kEndObject);
      token = lexer_.Next();
      RefuseEnd(token, Kind::kEndObject);
    }
    return {MakeObject(members)};
  }

  ObjectPointer<A> MakeObject(Members& members) const {
    ObjectPointer<A> object = arenas::MakeObject<A>(members.size(), allocator_);
    for (Member& member : members) {
      const bool is_new =
          object->members
              .try_emplace(std::move(member.key), std::move(member.value))
              .second;
      if (!is_new) lexer_.Fail(member.at, "the object has this key already");
    }
    return object;
  }

  void CheckDepth(const Token& begin, int depth) const {
    if (depth > kDepthMax) {
      lexer_.Fail(begin.at, absl::StrCat("arrays and objects are more than ",
                                         kDepthMax, " deep"));
    }
  }

  void Expect(const Token& token, Kind kind) const {
    if (token.kind == kind) return;
    lexer_.Fail(token.at, absl::StrCat(Describe(kind), " is missing before ",
                                       Describe(token.kind)));
  }

  void Expect(const Token& token, Kind kind, Kind or_kind) const {
    if (token.kind == kind) return;
    lexer_.Fail(token.at,
                absl::StrCat(Describe(kind), " or ", Describe(or_kind),
                             " is missing before ", Describe(token.kind)));
  }

  void RefuseEnd(const Token& token, Kind end) const {
    if (token.kind == end) {
      lexer_.Fail(token.at,
                  absl::StrCat("a ',' stands before ", Describe(end)));
    }
  }

  Lexer lexer_;
  A allocator_;
};

// The tree of one JSON text. Throws ParseError, and whatever the allocator
// does: what was allocated by then is freed.
template <typename A>
Value<A> Parse(absl::string_view text, const A& allocator) {
  return Parser<A>(text, allocator).Parse();
}

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_PARSER_H_
