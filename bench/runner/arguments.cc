#include "bench/runner/arguments.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bench/runner/text.h"

namespace bench {

std::vector<std::string> MergeRepeated(
    const std::vector<std::string>& arguments, std::string_view flag) {
  std::vector<std::string> merged;
  std::vector<std::string> values;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    bool found = false;
    for (const char* dashes : {"--", "-"}) {
      const std::string name = absl::StrCat(dashes, std::string(flag));
      if (argument == name && i + 1 < arguments.size()) {
        values.push_back(arguments[++i]);
        found = true;
        break;
      }
      if (argument.rfind(name + "=", 0) == 0) {
        values.push_back(argument.substr(name.size() + 1));
        found = true;
        break;
      }
    }
    if (!found) merged.push_back(argument);
  }
  if (!values.empty()) {
    merged.push_back(
        absl::StrCat("--", std::string(flag), "=", absl::StrJoin(values, ",")));
  }
  return merged;
}

std::string QuoteFlags(const std::vector<std::string>& arguments) {
  std::string text;
  for (size_t i = 1; i < arguments.size(); ++i) {
    std::string argument = arguments[i];
    if (argument.rfind("--out", 0) == 0 || argument == "--") continue;
    if (argument.rfind("--peer=", 0) == 0) {
      std::vector<std::string> peers;
      for (const std::string& peer : SplitText(argument.substr(7), ',')) {
        const size_t equals = peer.find('=');
        if (equals == peer.npos) continue;
        peers.push_back(
            absl::StrCat(peer.substr(0, equals), "=",
                         std::filesystem::path(peer.substr(equals + 1))
                             .filename()
                             .string()));
      }
      argument = absl::StrCat("--peer=", absl::StrJoin(peers, ","));
    }
    absl::StrAppend(&text, " ", argument);
  }
  return text;
}

bool Matches(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == name;
  if (name.substr(0, star) != pattern.substr(0, star)) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (size_t at = star; at <= name.size(); ++at) {
    if (Matches(rest, name.substr(at))) return true;
  }
  return false;
}

std::vector<Row> ChooseRows(const std::vector<Row>& rows,
                            const std::vector<std::string>& patterns,
                            std::string* error) {
  if (patterns.empty()) return rows;
  for (const std::string& pattern : patterns) {
    if (std::none_of(rows.begin(), rows.end(), [&](const Row& row) {
          return Matches(pattern, row.name);
        })) {
      *error = absl::StrCat("--rows: no row matches ", pattern,
                            "; --list shows them");
      return {};
    }
  }
  std::vector<Row> chosen;
  for (const Row& row : rows) {
    if (std::any_of(patterns.begin(), patterns.end(),
                    [&](const std::string& pattern) {
                      return Matches(pattern, row.name);
                    })) {
      chosen.push_back(row);
    }
  }
  return chosen;
}

std::vector<std::string> DefaultSources() {
  return {"bench/workloads/workloads", "bench/trace/replay",
          "bench/programs/programs"};
}

}  // namespace bench
