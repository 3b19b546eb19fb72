#include "examples/arenas/documents.h"

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "examples/arenas/lexer.h"
#include "examples/arenas/reply.h"
#include "examples/arenas/tree.h"

namespace arenas {

namespace {

// A number in [0, end). The standard's distributions differ from library to
// library.
class Random {
 public:
  int Below(uint32_t end) { return static_cast<int>(engine_() % end); }

 private:
  std::mt19937 engine_{2024};
};

std::string Word(Random& random) {
  constexpr absl::string_view kSyllables[] = {"al", "co", "ve",  "ri",
                                              "ta", "mo", "sen", "dar",
                                              "lu", "pi", "qua", "zo"};
  std::string word;
  for (int i = random.Below(3) + 2; i > 0; --i) {
    absl::StrAppend(&word, kSyllables[random.Below(std::size(kSyllables))]);
  }
  return word;
}

// "[<element(0)>,\n<element(1)>...]"
template <typename Element>
std::string List(int count, Element element) {
  std::string text = "[";
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ",\n", element(i));
  }
  return text + "]";
}

std::string Order(Random& random) {
  const auto line = [&random](int i) {
    return absl::StrCat("{\"line\": ", i + 1, ", \"article\": \"", Word(random),
                        "\", \"count\": ", random.Below(20) + 1,
                        ", \"price\": ", random.Below(10000) / 100.0, "}");
  };
  return absl::StrCat("{\"order\": 4711, \"customer\": {\"name\": \"",
                      Word(random),
                      "\", \"regular\": true},\n \"lines\": ", List(6, line),
                      ",\n \"remark\": null}\n");
}

std::string Users(Random& random) {
  const auto user = [&random](int i) {
    const std::string name = Word(random);
    const auto role = [&random](int) {
      return absl::StrCat("\"", Word(random), "\"");
    };
    return absl::StrCat(
        "{\"id\": ", i, ", \"name\": \"", name, "\", \"mail\": \"", name, "@",
        Word(random),
        ".example\", \"active\": ", random.Below(2) == 0 ? "true" : "false",
        ", \"roles\": ", List(random.Below(4), role), "}");
  };
  return List(80, user) + "\n";
}

std::string Nested(Random& random) {
  std::string begin;
  std::string end;
  for (int i = 0; i < 200; ++i) {
    if (i % 2 == 0) {
      absl::StrAppend(&begin, "{\"", Word(random), "\": ");
      end = absl::StrCat(", \"level\": ", i, "}", end);
    } else {
      absl::StrAppend(&begin, "[");
      end = absl::StrCat(", ", i, "]", end);
    }
  }
  return absl::StrCat(begin, "null", end, "\n");
}

std::string Texts(Random& random) {
  const auto text = [&random](int) {
    std::string words;
    for (int i = 0; i < 60; ++i) {
      absl::StrAppend(&words, Word(random), i % 10 == 9 ? "\\n" : " ");
    }
    return absl::StrCat("\"\\u201c", words, "\\u201d \u2014 \\ud83d\\ude00\"");
  };
  return List(60, text) + "\n";
}

std::string Series(Random& random) {
  const auto row = [&random](int) {
    return List(80, [&random](int) {
      return absl::StrCat((random.Below(2000001) - 1e6) / 1e3);
    });
  };
  return absl::StrCat("{\"series\": ", List(60, row), "}\n");
}

std::string Catalog(Random& random) {
  const auto article = [&random](int i) {
    const auto tag = [&random](int) {
      return absl::StrCat("\"", Word(random), "\"");
    };
    return absl::StrCat(
        "{\"sku\": \"A-", i, "\", \"title\": \"", Word(random), " ",
        Word(random), " ", Word(random), "\", \"tags\": ", List(3, tag),
        ", \"price\": {\"net\": ", random.Below(100000) / 100.0,
        ", \"currency\": \"EUR\"}, \"stock\": ", random.Below(500), "}");
  };
  return absl::StrCat("{\"articles\": ", List(1500, article), "}\n");
}

}  // namespace

common::Input GenerateFiles() {
  Random random;
  common::Input input;
  input.Add("order.json", Order(random));
  input.Add("users.json", Users(random));
  input.Add("nested.json", Nested(random));
  input.Add("texts.json", Texts(random));
  input.Add("series.json", Series(random));
  input.Add("catalog.json", Catalog(random));
  return input;
}

void AddDocuments(common::Input& input, std::vector<Document>& documents) {
  for (common::File& file : input.files) {
    try {
      const Reply<std::allocator<char>> reply(file.text, {},
                                              std::pmr::new_delete_resource());
      documents.push_back({std::move(file.name),
                           std::move(file.text),
                           reply.digest,
                           {reply.canonical.data(), reply.canonical.size()}});
    } catch (const ParseError& error) {
      input.complaints.push_back(absl::StrCat(file.name, ": ", error.what()));
    }
  }
  input.files.clear();
}

Document MakeBad(size_t quota) {
  Document document;
  document.name = "bad.json";
  document.bad = true;
  // The array alone is too large, whatever its objects need.
  const size_t count = quota / sizeof(Value<std::allocator<char>>) + 1;
  document.text.reserve(3 * count + 1);
  for (size_t i = 0; i < count; ++i) document.text += i == 0 ? "[{}" : ",{}";
  document.text += ']';
  return document;
}

}  // namespace arenas
