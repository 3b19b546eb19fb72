// The benchmark: every row with every allocator. README.md says how to use it.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bench/runner/arguments.h"
#include "bench/runner/column.h"
#include "bench/runner/format.h"
#include "bench/runner/machine.h"
#include "bench/runner/measure.h"
#include "bench/runner/plot.h"
#include "bench/runner/report.h"
#include "bench/runner/results.h"
#include "bench/runner/runfiles.h"
#include "bench/runner/source.h"

ABSL_FLAG(std::vector<std::string>, peers, {},
          "the columns, of those that --list shows; all of them if empty");
ABSL_FLAG(std::vector<std::string>, peer, {},
          "further columns: name=path.so of a malloc to preload; may be given "
          "more than once");
ABSL_FLAG(std::vector<std::string>, aside, {},
          "columns that are measured and shown, but are no row's best peer");
ABSL_FLAG(std::vector<std::string>, rows, {},
          "the rows, by name, with * for any letters; all of them if empty");
ABSL_FLAG(int, repeats, 5, "how often each row is run with each column");
ABSL_FLAG(
    bool, quick, false,
    "one short run of each: shows that everything works, measures nothing");
ABSL_FLAG(double, timeout, 60, "seconds after which a run is given up");
ABSL_FLAG(
    std::string, out, "",
    "where to write RESULTS.md, results.svg and results.tsv; if empty, the "
    "checkout's bench/ if all rows were run in full, else nowhere");
ABSL_FLAG(
    std::vector<std::string>, sources, {},
    "executables that rows come from (bench/runner/source.h); those of the "
    "checkout if empty");
ABSL_FLAG(bool, list, false, "prints the columns and the rows, and ends");

namespace {

constexpr int kUsageError = 64;

[[noreturn]] void Refuse(const std::string& sentence) {
  absl::FPrintF(stderr, "%s\n", sentence);
  std::exit(kUsageError);
}

std::vector<bench::Row> FindRows() {
  std::vector<std::string> sources = absl::GetFlag(FLAGS_sources);
  if (sources.empty()) sources = bench::DefaultSources();
  std::vector<bench::Row> rows;
  for (const std::string& source : sources) {
    std::string path = bench::RunfilePath(source);
    if (path.empty()) path = bench::UserPath(source);
    std::string error;
    for (bench::Row& row : bench::ListRows(path, &error)) {
      rows.push_back(std::move(row));
    }
    if (!error.empty()) Refuse(error);
  }
  return rows;
}

void PrintLists(const std::vector<bench::Column>& columns,
                const std::vector<bench::Row>& rows) {
  for (const bench::Column& column : columns) {
    absl::PrintF("column %-16s %s\n", column.name,
                 column.absent.empty() ? column.version : column.absent);
  }
  for (const bench::Row& row : rows) {
    absl::PrintF("row    %-20s %s\n", row.name, row.what);
  }
}

// A line that is written over on a terminal; elsewhere, a line for each row.
class ProgressLine {
 public:
  explicit ProgressLine(const bench::Results& results) : results_(results) {}

  void operator()(const bench::Progress& progress) {
    const std::string& row = results_.rows()[progress.row].name;
    const std::string& column = results_.columns()[progress.column].name;
    const bool absent = !results_.columns()[progress.column].absent.empty();
    if (!progress.outcome.failure.empty() && !absent && progress.repeat == 0) {
      Clear();
      absl::FPrintF(
          stderr, "%s, %s: %s%s%s\n", row, column, progress.outcome.failure,
          progress.outcome.detail.empty() ? "" : ": ", progress.outcome.detail);
    }
    const double elapsed = absl::ToDoubleSeconds(absl::Now() - start_);
    const double left = elapsed / static_cast<double>(progress.done) *
                        static_cast<double>(progress.total - progress.done);
    const bool row_done =
        progress.done % (progress.total / results_.rows().size()) == 0;
    if (terminal_) {
      absl::FPrintF(stderr, "\r\033[K[%d/%d] row %d of %d, %s: %s %s, %s left",
                    progress.done, progress.total, progress.row + 1,
                    results_.rows().size(), row, column,
                    progress.outcome.failure.empty()
                        ? bench::FormatSeconds(progress.outcome.seconds)
                        : progress.outcome.failure,
                    Minutes(left));
    } else if (row_done) {
      absl::FPrintF(stderr, "[%d/%d] %s, %s left\n", progress.row + 1,
                    results_.rows().size(), row, Minutes(left));
    }
    std::fflush(stderr);
  }

  void Clear() const {
    if (terminal_) absl::FPrintF(stderr, "\r\033[K");
  }
  double minutes() const { return absl::ToDoubleMinutes(absl::Now() - start_); }

 private:
  static std::string Minutes(double seconds) {
    return absl::StrFormat("%d:%02d", static_cast<int>(seconds) / 60,
                           static_cast<int>(seconds) % 60);
  }

  const bench::Results& results_;
  const absl::Time start_ = absl::Now();
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
};

void Write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) {
    absl::FPrintF(stderr, "cannot write %s\n", path.string());
    std::exit(1);
  }
}

// What a reader of a terminal wants to know first.
void PrintSummary(const bench::Results& results) {
  absl::PrintF("%-16s %8s %8s   ratio to the best peer, geometric means\n", "",
               "time", "memory");
  for (size_t column = 0; column < results.columns().size(); ++column) {
    const bench::Column& allocator = results.columns()[column];
    if (!allocator.absent.empty()) {
      absl::PrintF("%-16s %s\n", allocator.name, allocator.absent);
      continue;
    }
    const auto time = results.AgainstBest(bench::Measure::kTime, column);
    const auto peak = results.AgainstBest(bench::Measure::kPeak, column);
    absl::PrintF("%-16s %8s %8s   %d rows\n", allocator.name,
                 bench::FormatRatio(time.mean), bench::FormatRatio(peak.mean),
                 time.rows);
  }
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "measures Alcove and its peers, row by row\n\n"
      "  ./bazelw run //bench -- [--peers=...] [--rows=...] [--peer "
      "name=path.so]");
  std::vector<std::string> merged =
      bench::MergeRepeated(std::vector<std::string>(argv, argv + argc), "peer");
  std::vector<char*> arguments;
  for (std::string& argument : merged) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const std::vector<char*> positional = absl::ParseCommandLine(
      static_cast<int>(arguments.size()) - 1, arguments.data());
  if (positional.size() > 1) {
    Refuse(absl::StrCat("'", positional[1], "' is no flag; --help lists them"));
  }

  std::string error;
  const std::vector<bench::Column> columns = bench::ChooseColumns(
      bench::KnownColumns(), absl::GetFlag(FLAGS_peers),
      absl::GetFlag(FLAGS_peer), absl::GetFlag(FLAGS_aside), &error);
  if (!error.empty()) Refuse(error);
  const std::vector<bench::Row> all_rows = FindRows();
  const std::vector<bench::Row> rows =
      bench::ChooseRows(all_rows, absl::GetFlag(FLAGS_rows), &error);
  if (!error.empty()) Refuse(error);
  if (absl::GetFlag(FLAGS_list)) {
    PrintLists(columns, rows);
    return 0;
  }

  bench::MeasureOptions options;
  options.quick = absl::GetFlag(FLAGS_quick);
  options.repeats = options.quick ? 1 : absl::GetFlag(FLAGS_repeats);
  options.timeout_seconds = absl::GetFlag(FLAGS_timeout);
  if (options.repeats < 1) Refuse("--repeats: at least 1");

  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  std::string out = absl::GetFlag(FLAGS_out);
  if (!out.empty()) {
    out = bench::UserPath(out);
  } else if (workspace != nullptr && !options.quick &&
             rows.size() == all_rows.size()) {
    out = absl::StrCat(workspace, "/bench");
  }

  bench::ReportContext context;
  context.machine = bench::DescribeMachine();
  if (context.machine.load > 0.3) {
    absl::FPrintF(stderr,
                  "the machine is not idle (load %.2f): times will suffer\n",
                  context.machine.load);
  }
  bench::Results results(columns, rows);
  ProgressLine line(results);
  bench::MeasureAll(options, results,
                    [&](const bench::Progress& progress) { line(progress); });
  line.Clear();
  PrintSummary(results);
  const std::string install = bench::InstallCommand(results);
  if (!install.empty()) absl::PrintF("missing peers: %s\n", install);

  if (!out.empty()) {
    context.commit =
        bench::DescribeCommit(workspace == nullptr ? "." : workspace);
    context.date = bench::Today();
    context.command =
        absl::StrJoin(std::vector<std::string>{"./bazelw run //bench"}, " ");
    const std::string flags = bench::QuoteFlags(merged);
    if (!flags.empty()) absl::StrAppend(&context.command, " --", flags);
    context.repeats = options.repeats;
    context.quick = options.quick;
    context.minutes = line.minutes();
    const std::filesystem::path folder(out);
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    Write(folder / "RESULTS.md", bench::MakeReport(results, context));
    Write(folder / "results.svg",
          bench::MakePlot(
              results,
              absl::StrCat(context.machine.cpu, ", ", context.machine.cores,
                           " cores, ", context.machine.system, "; ",
                           context.date, "; medians of ", options.repeats,
                           options.repeats == 1 ? " run" : " runs")));
    Write(folder / "results.tsv", bench::MakeRawTable(results));
    absl::PrintF("wrote %s\n", (folder / "RESULTS.md").string());
  }
  return 0;
}
