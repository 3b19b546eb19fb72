#include "bench/runner/source.h"

#include <signal.h>

#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bench/runner/text.h"

namespace bench {

namespace {

constexpr int kMissingExitCode = 77;
constexpr double kListTimeoutSeconds = 30;

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? absl::StrCat("signal ", signal)
                         : absl::StrCat("SIG", name);
}

std::string LastLine(std::string_view text) {
  const std::vector<std::string> lines = SplitText(text, '\n');
  return lines.empty() ? "" : lines.back();
}

// What links lead to: a preloaded path and what the linker reports differ by
// them.
std::string FileName(std::string_view path) {
  std::error_code error;
  const auto resolved =
      std::filesystem::canonical(std::filesystem::path(path), error);
  return error ? std::filesystem::path(path).filename().string()
               : resolved.filename().string();
}

}  // namespace

std::vector<Row> ListRows(const std::string& source, std::string* error) {
  std::vector<Row> rows;
  const ChildResult result =
      RunChild({source, "--list"}, {}, kListTimeoutSeconds);
  if (result.exit_code != 0) {
    *error = absl::StrCat(source, " --list failed: ",
                          result.start_error.empty()
                              ? LastLine(result.standard_error)
                              : result.start_error);
    return rows;
  }
  for (const std::string& line : SplitText(result.standard_output, '\n')) {
    const size_t tab = line.find('\t');
    rows.push_back({line.substr(0, tab),
                    tab == line.npos ? "" : line.substr(tab + 1), source});
  }
  return rows;
}

Outcome ParseOutcome(const ChildResult& result, std::string_view library) {
  Outcome outcome;
  outcome.seconds = result.seconds;
  outcome.peak_kib = result.peak_kib;
  outcome.detail = LastLine(result.standard_error);

  double operations = 0;
  std::string malloc_path;
  bool garbled = false;
  for (const std::string& line : SplitText(result.standard_output, '\n')) {
    std::string_view text = line;
    if (text.substr(0, 7) != "bench: ") continue;
    text.remove_prefix(7);
    const size_t equals = text.find('=');
    const std::string key(text.substr(0, equals));
    const std::string value(equals == text.npos ? "" : text.substr(equals + 1));
    double number = 0;
    const bool is_number = absl::SimpleAtod(value, &number) && number >= 0;
    if (key == "malloc") {
      malloc_path = value;
    } else if (key == "missing") {
      outcome.failure = absl::StrCat("needs ", value);
      outcome.missing = true;
    } else if (!is_number) {
      garbled = true;
    } else if (key == "seconds") {
      outcome.seconds = number;
    } else if (key == "operations") {
      operations = number;
    } else if (key == "peak_kib") {
      outcome.peak_kib = number;
    } else if (key == "left_kib") {
      outcome.left_kib = number;
    }
  }
  if (operations > 0) outcome.seconds /= operations;

  if (!result.start_error.empty()) {
    outcome.failure = "did not start";
    outcome.detail = result.start_error;
  } else if (result.timed_out) {
    outcome.failure = "timed out";
  } else if (result.signal != 0) {
    outcome.failure = absl::StrCat("crashed (", SignalName(result.signal), ")");
  } else if (result.exit_code == kMissingExitCode) {
    outcome.missing = true;
    if (outcome.failure.empty()) outcome.failure = "cannot run here";
  } else if (result.exit_code != 0) {
    outcome.failure = absl::StrCat("failed (exit code ", result.exit_code, ")");
  } else if (result.standard_error.find("cannot be preloaded") !=
             std::string::npos) {
    outcome.failure = "not preloaded";
  } else if (!library.empty() && !malloc_path.empty() &&
             FileName(malloc_path) != FileName(library)) {
    outcome.failure = absl::StrCat("malloc was ", FileName(malloc_path), "'s");
  } else if (garbled || outcome.seconds <= 0) {
    outcome.failure = "garbled figures";
  }
  return outcome;
}

Outcome RunRow(const Row& row, const std::string& library, bool quick,
               double timeout_seconds) {
  std::vector<std::string> command = {row.source};
  if (quick) command.push_back("--quick");
  command.push_back(row.name);
  return ParseOutcome(RunChild(command, library, timeout_seconds), library);
}

}  // namespace bench
