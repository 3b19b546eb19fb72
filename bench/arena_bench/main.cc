// How fast temporary heaps come and go. README.md says how to use it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bench/arena_bench/field.h"
#include "bench/arena_bench/restart.h"
#include "bench/arena_bench/verdict.h"
#include "bench/runner/arguments.h"
#include "bench/runner/machine.h"
#include "bench/runner/runfiles.h"

ABSL_FLAG(std::vector<std::string>, rows, {},
          "the rows, by name, with * for any letters; all of them if empty");
ABSL_FLAG(std::vector<std::string>, peers, {},
          "the columns, by name, with * for any letters; all of them if empty");
ABSL_FLAG(int, repeats, 9, "samples of each row with each column");
ABSL_FLAG(double, sample_ms, 50, "how long a sample takes");
ABSL_FLAG(bool, quick, false,
          "one short sample of each: shows that everything works, measures "
          "nothing");
ABSL_FLAG(std::string, out, "", "a file to write the report to, in Markdown");
ABSL_FLAG(bool, write, false,
          "writes the checkout's bench/arena_bench/RESULTS.md");

namespace {

constexpr int kUsageError = 64;

[[noreturn]] void Refuse(const std::string& sentence) {
  absl::FPrintF(stderr, "%s\n", sentence);
  std::exit(kUsageError);
}

// Those with a name that some pattern matches; all if there is no pattern. One
// that matches none is refused.
template <typename T, typename Name>
std::vector<T> Chosen(const std::vector<T>& all,
                      const std::vector<std::string>& patterns,
                      const Name& name) {
  std::vector<bool> chosen(all.size(), patterns.empty());
  for (const std::string& pattern : patterns) {
    bool found = false;
    for (size_t i = 0; i < all.size(); ++i) {
      if (!bench::Matches(pattern, name(all[i]))) continue;
      chosen[i] = true;
      found = true;
    }
    if (!found) Refuse(absl::StrCat("'", pattern, "' matches nothing"));
  }
  std::vector<T> some;
  for (size_t i = 0; i < all.size(); ++i) {
    if (chosen[i]) some.push_back(all[i]);
  }
  return some;
}

std::vector<bench::Contender> AllContenders() {
  std::vector<bench::Contender> all = bench::AlcoveContenders();
  for (const auto& more : {bench::PeerContenders, bench::StandardContenders}) {
    for (const bench::Contender& contender : more()) all.push_back(contender);
  }
  return all;
}

void Write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) {
    absl::FPrintF(stderr, "cannot write %s\n", path);
    std::exit(1);
  }
  absl::FPrintF(stderr, "wrote %s\n", path);
}

}  // namespace

int main(int argc, char** argv) {
  bench::RestartClean(argv);
  absl::SetProgramUsageMessage(
      "measures temporary heaps: Alcove's arenas and their peers\n\n"
      "  ./bazelw run //bench/arena_bench -- [--rows=...] [--write]");
  const std::vector<char*> positional = absl::ParseCommandLine(argc, argv);
  if (positional.size() > 1) {
    Refuse(absl::StrCat("'", positional[1], "' is no flag; --help lists them"));
  }
  const bool quick = absl::GetFlag(FLAGS_quick);
  bench::FieldOptions options;
  options.repeats = quick ? 1 : absl::GetFlag(FLAGS_repeats);
  options.sample_seconds = quick ? 1e-4 : absl::GetFlag(FLAGS_sample_ms) * 1e-3;
  if (options.repeats < 1) Refuse("--repeats: at least 1");
  if (!(options.sample_seconds > 0)) Refuse("--sample_ms: more than 0");
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const bool write = absl::GetFlag(FLAGS_write);
  if (write && workspace == nullptr) Refuse("--write: only under `bazel run`");

  const std::vector<bench::Load> loads =
      Chosen(bench::AllLoads(), absl::GetFlag(FLAGS_rows),
             [](const bench::Load& load) { return load.name; });
  const std::vector<bench::Contender> contenders =
      Chosen(AllContenders(), absl::GetFlag(FLAGS_peers),
             [](const bench::Contender& c) { return c.column.name; });

  bench::ReportContext context;
  context.machine = bench::DescribeMachine();
  if (context.machine.load > 0.3) {
    absl::FPrintF(stderr,
                  "the machine is not idle (load %.2f): times will suffer\n",
                  context.machine.load);
  }
  const absl::Time start = absl::Now();
  const std::vector<bench::KindResults> results = bench::MeasureField(
      contenders, loads, options, [](const bench::Load& load) {
        absl::FPrintF(stderr, "%s\n", load.name);
      });
  context.minutes = absl::ToDoubleMinutes(absl::Now() - start);
  context.commit =
      bench::DescribeCommit(workspace == nullptr ? "." : workspace);
  context.date = bench::Today();
  context.command = "./bazelw run //bench/arena_bench";
  const std::string flags =
      bench::QuoteFlags(std::vector<std::string>(argv, argv + argc));
  if (!flags.empty()) absl::StrAppend(&context.command, " --", flags);
  context.repeats = options.repeats;
  context.quick = quick;
  std::string report = bench::MakeFieldReport(results, loads, context);
  absl::StrAppend(&report, "| malloc below *pmr* and tbb | ",
                  bench::MallocOfThisProcess(), " |\n");
  absl::PrintF("%s", report);
  const std::string out = absl::GetFlag(FLAGS_out);
  if (!out.empty()) Write(bench::UserPath(out), report);
  if (write) {
    Write(absl::StrCat(workspace, "/bench/arena_bench/RESULTS.md"), report);
  }
  return 0;
}
