// Three instances beside jemalloc: a word index of some files, see pipeline.h.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "examples/coexist/departure.h"
#include "examples/coexist/heaps.h"
#include "examples/coexist/input.h"
#include "examples/coexist/jemalloc.h"
#include "examples/coexist/ownership.h"
#include "examples/coexist/pipeline.h"
#include "examples/coexist/reference.h"
#include "examples/coexist/table.h"
#include "examples/coexist/text.h"
#include "examples/common/departure.h"
#include "examples/common/files.h"

ABSL_FLAG(int, threads, 4, "tokenizers, and as many indexers; 1 to 64");
ABSL_FLAG(int, top, 10, "how many of the most frequent words to show");
ABSL_FLAG(bool, verbose, false,
          "show each file that is read, and each instance's knobs");

namespace coexist {
namespace {

// What the program ends with.
enum ExitCode { kGood = 0, kBroken = 1, kBadInput = 2 };

void PrintTop(const Report& report, size_t count) {
  std::pmr::vector<const Report::value_type*> order(report::resource());
  for (const auto& entry : report) order.push_back(&entry);
  count = std::min(count, order.size());
  // Words of equal frequency stay in alphabetical order.
  std::stable_sort(
      order.begin(), order.end(),
      [](const auto* a, const auto* b) { return a->second > b->second; });
  for (size_t i = 0; i < count; ++i) {
    // A file may have words as long as itself.
    const absl::string_view word(order[i]->first.data(),
                                 order[i]->first.size());
    absl::PrintF("  %8d  %s%s\n", order[i]->second, word.substr(0, 60),
                 word.size() > 60 ? "..." : "");
  }
}

void PrintInput(const Input& input, bool verbose) {
  for (const std::string& complaint : input.complaints) {
    absl::FPrintF(stderr, "coexist: %s\n", complaint);
  }
  if (!verbose) return;
  for (const File& file : input.files)
    absl::PrintF("  %9d  %s\n", file.text.size(), file.name);
  for (const Heap& heap : Heaps())
    absl::PrintF("  %-8s  %s\n", heap.name, heap.config());
}

bool HasWords(const Input& input) {
  bool any = false;
  for (const File& file : input.files) {
    ForEachWord(file.text, [&any](absl::string_view, uint32_t) { any = true; });
    if (any) break;
  }
  return any;
}

// Builds the index, shows and checks it. Everything that lives in an instance
// is gone when it returns.
bool Work(const Input& input, int threads, int top) {
  const size_t malloc_before = jemalloc::TakeFigures().bytes_live;
  Ownership ownership;
  const Answer answer = BuildIndex(input.files, threads, ownership);
  const std::string table = MakeTable(ownership);
  const Reference reference = BuildReference(input.files);
  const size_t malloc_after = jemalloc::TakeFigures().bytes_live;
  const std::string difference = Difference(answer, reference);

  absl::PrintF("%d files, %d bytes, %d words, %d different; %d threads\n\n",
               input.files.size(), input.bytes, CountWords(reference),
               reference.size(), 2 * threads + 1);
  PrintTop(answer.report, top);
  absl::PrintF(
      "\nThe allocators, with index and report alive and all words "
      "freed:\n\n%s\n",
      table);

  const bool is_malloc = jemalloc::IsMalloc() && malloc_after > malloc_before;
  absl::PrintF(
      "malloc is jemalloc's: %s (its count of live bytes rose by %d)\n",
      is_malloc ? "yes" : "NO", malloc_after - malloc_before);
  absl::PrintF("every block has one owner: %s\n",
               ownership.Exclusive() ? "yes" : "NO");
  absl::PrintF("the answer is std::allocator's: %s\n",
               difference.empty() ? "yes" : absl::StrCat("NO: ", difference));
  return is_malloc && ownership.Exclusive() && difference.empty();
}

int Main(const std::vector<std::string>& names) {
  const int threads = absl::GetFlag(FLAGS_threads);
  const int top = absl::GetFlag(FLAGS_top);
  if (threads < 1 || threads > 64 || top < 0) {
    absl::FPrintF(stderr,
                  "coexist: --threads takes 1 to 64, --top 0 or more\n");
    return kBadInput;
  }
  const Input input = names.empty() ? ReadSources() : common::ReadFiles(names);
  PrintInput(input, absl::GetFlag(FLAGS_verbose));
  if (input.files.empty()) return kBadInput;
  if (!HasWords(input)) {
    absl::FPrintF(stderr, "coexist: there is no word in these files\n");
    return kBadInput;
  }

  const bool good = Work(input, threads, top);
  const common::Departure departure = ShutDown();
  absl::PrintF("nothing is left of the instances: %s\n%s",
               departure.clean ? "yes" : "NO", departure.text);
  if (!good || !departure.clean) return kBroken;
  return input.complaints.empty() ? kGood : kBadInput;
}

}  // namespace
}  // namespace coexist

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "builds a word index of files, with three Alcove instances beside "
      "jemalloc\n\n"
      "  coexist [--threads=N] [--top=N] [--verbose] [file...]\n\n"
      "Without files it reads the text below the workspace or the working "
      "directory.\n"
      "Ends with 0 if all held, 1 if an answer or a promise of isolation did "
      "not, 2 if some\n"
      "input could not be read.");
  const std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  return coexist::Main({arguments.begin() + 1, arguments.end()});
}
