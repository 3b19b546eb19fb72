#include "examples/coexist/reference.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace coexist {

Reference BuildReference(const std::vector<File>& files) {
  Reference reference;
  for (uint32_t file = 0; file < files.size(); ++file) {
    ForEachWord(files[file].text, [&](absl::string_view spelling,
                                      uint32_t line) {
      reference[absl::AsciiStrToLower(spelling)].push_back(Place{file, line});
    });
  }
  return reference;
}

uint64_t CountWords(const Reference& reference) {
  uint64_t words = 0;
  for (const auto& [word, places] : reference) words += places.size();
  return words;
}

std::string Difference(const Answer& answer, const Reference& reference) {
  size_t indexed = 0;
  for (const Index& shard : answer.shards) {
    indexed += shard.size();
    for (const auto& [word, places] : shard) {
      const auto expected =
          reference.find(std::string(word.data(), word.size()));
      if (expected == reference.end()) {
        return absl::StrCat("the index has a word that is in no file: ",
                            word.c_str());
      }
      if (!std::equal(places.begin(), places.end(), expected->second.begin(),
                      expected->second.end())) {
        return absl::StrCat(
            "the index has other places than the reference for: ",
            word.c_str());
      }
    }
  }
  if (indexed != reference.size()) {
    return absl::StrCat("the index has ", indexed, " words, the reference ",
                        reference.size());
  }
  const auto same = [](const auto& reported, const auto& expected) {
    return absl::string_view(reported.first.data(), reported.first.size()) ==
               expected.first &&
           reported.second == expected.second.size();
  };
  if (!std::equal(answer.report.begin(), answer.report.end(), reference.begin(),
                  reference.end(), same)) {
    return "the report is not the reference's";
  }
  return "";
}

}  // namespace coexist
