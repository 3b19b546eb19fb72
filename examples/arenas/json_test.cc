// The parser and the writer, on good text, on bad, and on memory that ends.
#include <cstddef>
#include <limits>
#include <memory>
#include <memory_resource>
#include <new>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "examples/arenas/digest.h"
#include "examples/arenas/lexer.h"
#include "examples/arenas/parser.h"
#include "examples/arenas/tree.h"
#include "examples/arenas/writer.h"
#include "gtest/gtest.h"

namespace arenas {
namespace {

using Plain = std::allocator<char>;
using Pmr = std::pmr::polymorphic_allocator<char>;

// The text in its canonical form, or what is wrong with it.
std::string Canonical(absl::string_view text) {
  try {
    std::pmr::string out;
    Write(Parse(text, Plain()), out);
    return {out.data(), out.size()};
  } catch (const ParseError& error) {
    return error.what();
  }
}

Digest DigestOf(absl::string_view text) {
  return Digested(Parse(text, Plain()));
}

std::string Repeated(int count, absl::string_view text) {
  std::string all;
  for (int i = 0; i < count; ++i) absl::StrAppend(&all, text);
  return all;
}

TEST(JsonTest, Values) {
  EXPECT_EQ(Canonical("null"), "null");
  EXPECT_EQ(Canonical(" \t\r\ntrue "), "true");
  EXPECT_EQ(Canonical("false"), "false");
  EXPECT_EQ(Canonical("\"\""), "\"\"");
  EXPECT_EQ(Canonical("[ ]"), "[]");
  EXPECT_EQ(Canonical("{ }"), "{}");
  EXPECT_EQ(Canonical("[1 , [2,3],\n{\"b\" : [null], \"a\":{}}]"),
            "[1,[2,3],{\"a\":{},\"b\":[null]}]");
}

TEST(JsonTest, Numbers) {
  EXPECT_EQ(Canonical("[0,-0,10,-1.50,1E2,1e+2,25e-1,0.0]"),
            "[0,-0,10,-1.5,100,100,2.5,0]");
  EXPECT_EQ(Canonical("[0.1,1e22,1e23,5e-324]"), "[0.1,1e+22,1e+23,5e-324]");
  EXPECT_EQ(Canonical("1e-999"), "0");
  EXPECT_EQ(Canonical("1.7976931348623157e308"), "1.7976931348623157e+308");
  EXPECT_EQ(Canonical("[1,\n 1e999]"),
            "line 2, column 2: a number is beyond the range of a double");
  EXPECT_EQ(Canonical("-1e999"),
            "line 1, column 1: a number is beyond the range of a double");
  EXPECT_EQ(Canonical("01"), "line 1, column 2: a number begins with a 0");
  for (const char* text : {"-", "-x", "-.5"}) {
    EXPECT_EQ(Canonical(text), "line 1, column 2: a digit is missing");
  }
  for (const char* text : {"1.", "1.e5", "1ex", "1e"}) {
    EXPECT_EQ(Canonical(text), "line 1, column 3: a digit is missing");
  }
  EXPECT_EQ(Canonical("1e+"), "line 1, column 4: a digit is missing");
  EXPECT_EQ(Canonical(".5"), "line 1, column 1: '.' begins no value");
  EXPECT_EQ(Canonical("+1"), "line 1, column 1: '+' begins no value");
}

TEST(JsonTest, Strings) {
  EXPECT_EQ(Canonical(R"("\"\\\/\b\f\n\r\t")"), R"("\"\\/\b\f\n\r\t")");
  EXPECT_EQ(Canonical(R"("\u0041\u00e9\u20AC\ud83d\ude00")"),
            "\"A\u00e9\u20ac\U0001f600\"");
  EXPECT_EQ(Canonical(R"("\u0000\u001f\u007f")"), "\"\\u0000\\u001f\x7f\"");
  EXPECT_EQ(Canonical("\"a long one that is not kept in the node itself\""),
            "\"a long one that is not kept in the node itself\"");
  EXPECT_EQ(Canonical("[\"a"), "line 1, column 2: a string has no end");
  EXPECT_EQ(Canonical("\"a\\"), "line 1, column 3: no escape begins like this");
  EXPECT_EQ(Canonical(R"("\x41")"),
            "line 1, column 2: no escape begins like this");
  EXPECT_EQ(Canonical("\"a\nb\""),
            "line 1, column 3: the byte 0x0a has to be written as an escape in "
            "a string");
  for (const char* text : {R"("\u12")", R"("\u12g4")", R"("\ud83d\ude0")"}) {
    EXPECT_NE(
        Canonical(text).find("four hexadecimal digits are missing behind \\u"),
        std::string::npos);
  }
  for (const char* text :
       {R"("\ud83d")", R"("\ude00")", R"("\ud83dx")", R"("\ud83d\u0041")"}) {
    EXPECT_EQ(Canonical(text),
              "line 1, column 2: half of a pair of surrogates stands alone");
  }
}

TEST(JsonTest, Utf8) {
  // Of each length the first and the last; column numbers count characters.
  for (const char* good : {"\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000",
                           "\uffff", "\U00010000", "\U0010ffff"}) {
    const std::string text = absl::StrCat("\"", good, "\"");
    EXPECT_EQ(Canonical(text), text);
    EXPECT_EQ(Canonical(absl::StrCat("[", text, " x]")),
              "line 1, column 6: 'x' begins no value");
  }
  for (const char* bad :
       {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82",
        "\xff"}) {
    const std::string message = Canonical(absl::StrCat("\"", bad, "\""));
    EXPECT_EQ(message.substr(0, 32),
              "line 1, column 2: the byte 0x" + message.substr(29, 3));
    EXPECT_NE(message.find(" is not valid UTF-8"), std::string::npos);
  }
}

TEST(JsonTest, Structure) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "line 1, column 1: a value is missing before the end of the text"},
      {"[1,\n2",
       "line 2, column 2: ',' or ']' is missing before the end of "
       "the text"},
      {"[1 2]", "line 1, column 4: ',' or ']' is missing before a number"},
      {"[1,]", "line 1, column 4: a ',' stands before ']'"},
      {"[,1]", "line 1, column 2: a value is missing before ','"},
      {"[1}", "line 1, column 3: ',' or ']' is missing before '}'"},
      {"]", "line 1, column 1: a value is missing before ']'"},
      {"{\"a\" 1}", "line 1, column 6: ':' is missing before a number"},
      {"{\"a\":}", "line 1, column 6: a value is missing before '}'"},
      {"{\"a\":1,}", "line 1, column 8: a ',' stands before '}'"},
      {"{1:2}", "line 1, column 2: a string or '}' is missing before a number"},
      {"{\"a\":1 \"b\":2}",
       "line 1, column 8: ',' or '}' is missing before a string"},
      {"{\"a\":1,\n\"b\":2, \"\\u0061\":3}",
       "line 2, column 8: the object has this key already"},
      {"1 2",
       "line 1, column 3: the end of the text is missing before a "
       "number"},
      {"nul", "line 1, column 1: this is no value; is it meant to be null?"},
      {"truest", "line 1, column 1: this is no value; is it meant to be true?"},
      {"'a'", "line 1, column 1: ''' begins no value"},
      {"\xef\xbb\xbf{}", "line 1, column 1: the byte 0xef begins no value"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_EQ(Canonical(text), message) << text;
  }
  EXPECT_EQ(Canonical(absl::string_view("\0", 1)),
            "line 1, column 1: the byte 0x00 begins no value");
}

TEST(JsonTest, DepthIsBounded) {
  const auto arrays = [](int depth) {
    return Repeated(depth, "[") + Repeated(depth, "]");
  };
  EXPECT_EQ(Canonical(arrays(kDepthMax)), arrays(kDepthMax));
  EXPECT_EQ(DigestOf(arrays(kDepthMax)).depth, kDepthMax);
  const std::string message =
      absl::StrCat("arrays and objects are more than ", kDepthMax, " deep");
  EXPECT_EQ(Canonical(arrays(kDepthMax + 1)),
            absl::StrCat("line 1, column ", kDepthMax + 1, ": ", message));
  EXPECT_EQ(Canonical(Repeated(1000000, "{\"a\":")),
            absl::StrCat("line 1, column ", kDepthMax * 5 + 1, ": ", message));
}

TEST(JsonTest, Digest) {
  const Digest digest = DigestOf(R"({"a":[1,2,{}],"b":null})");
  EXPECT_EQ(digest.values, 6u);
  EXPECT_EQ(digest.depth, 3);
  // The order of members does not count, everything else does.
  EXPECT_EQ(digest, DigestOf(R"({"b":null,"a":[1,2,{}]})"));
  for (const char* other :
       {R"({"a":[2,1,{}],"b":null})", R"({"b":[1,2,{}],"a":null})",
        R"({"a":[1,2,[]],"b":null})", R"({"a":[1,2,{}],"b":false})"}) {
    EXPECT_NE(digest.checksum, DigestOf(other).checksum) << other;
  }
}

// Many members, so that hash maps are full to the last.
std::string Sample() {
  std::string text = "[";
  for (int members = 0; members < 17; ++members) {
    text += "{";
    for (int i = 0; i < members; ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", "\"the key with number ", i,
                      "\":[", i, ",\"a string that is long enough\",{}]");
    }
    text += "},";
  }
  return text + "null]";
}

// Fails from the `fail_at`th allocation on, and counts what is not freed.
class EndingMemory : public std::pmr::memory_resource {
 public:
  explicit EndingMemory(int fail_at) : left_(fail_at) {}
  int live() const { return live_; }
  bool ended() const { return left_ <= 0; }

 private:
  void* do_allocate(size_t bytes, size_t alignment) override {
    if (--left_ <= 0) throw std::bad_alloc();
    ++live_;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* block, size_t bytes, size_t alignment) override {
    --live_;
    std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }

  int left_;
  int live_ = 0;
};

TEST(JsonTest, MemoryMayEndAnywhere) {
  const std::string text = Sample();
  const std::string expected = Canonical(text);
  bool done = false;
  for (int fail_at = 1; !done; ++fail_at) {
    EndingMemory memory(fail_at);
    try {
      std::pmr::string out(&memory);
      Write(Parse(text, Pmr(&memory)), out);
      EXPECT_EQ(absl::string_view(out.data(), out.size()), expected);
      done = true;
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(memory.ended());
    }
    ASSERT_EQ(memory.live(), 0) << fail_at;
  }
}

// All memory is the allocator's.
TEST(JsonTest, NothingComesFromElsewhere) {
  EndingMemory memory(std::numeric_limits<int>::max());
  std::pmr::memory_resource* const before =
      std::pmr::set_default_resource(std::pmr::null_memory_resource());
  {
    const Value<Pmr> value = Parse(Sample(), Pmr(&memory));
    std::pmr::string out(&memory);
    Write(value, out);
    EXPECT_GT(memory.live(), 300);
  }
  EXPECT_EQ(memory.live(), 0);
  std::pmr::set_default_resource(before);
}

TEST(JsonTest, AnyTextIsReadOrRefused) {
  const std::string good =
      R"([{"a":[1.5e3,-2,true,null],"\u20ac\n":"xy"},["",{}],"\ud83d\ude00"])";
  std::mt19937 random(1);
  int read = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = good;
    for (unsigned changes = random() % 3 + 1; changes > 0; --changes) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text.erase(at, 1);
          break;
        case 1:
          text[at] = good[random() % good.size()];
          break;
        default:
          text.insert(at, 1, static_cast<char>(random()));
      }
    }
    const std::string canonical = Canonical(text);
    if (canonical.substr(0, 5) == "line ") continue;
    ++read;
    EXPECT_EQ(Canonical(canonical), canonical) << text;
    EXPECT_EQ(DigestOf(canonical), DigestOf(text)) << text;
  }
  EXPECT_GT(read, 500);
}

}  // namespace
}  // namespace arenas
