// A server whose requests have an arena each, see server.h and request.h.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_format.h"
#include "examples/arenas/documents.h"
#include "examples/arenas/request_heap.h"
#include "examples/arenas/server.h"
#include "examples/arenas/summary.h"
#include "examples/common/departure.h"
#include "examples/common/files.h"
#include "examples/common/numbers.h"

ABSL_FLAG(int, threads, 4, "workers; 1 to 64");
ABSL_FLAG(uint64_t, requests, 0,
          "how many to serve, the bad one included, so 2 at least; 0: as many "
          "as come in --seconds");
ABSL_FLAG(double, seconds, 2, "how long to serve; up to 3600");
ABSL_FLAG(uint64_t, hard_quota_kib, 8192,
          "what a request's arena may hold; 64 to 1048576");
ABSL_FLAG(uint64_t, soft_quota_kib, 3072,
          "beyond which it is told of; 0: none");
ABSL_FLAG(bool, monotonic, false, "arenas that give no freed block out again");

namespace arenas {
namespace {

// What the program ends with.
enum ExitCode { kGood = 0, kBroken = 1, kBadInput = 2 };

const char* YesOrNo(bool yes) { return yes ? "yes" : "NO"; }

// The flags as a plan; false, and a sentence, if they make none.
bool MakePlan(Plan& plan) {
  plan.threads = absl::GetFlag(FLAGS_threads);
  plan.requests = absl::GetFlag(FLAGS_requests);
  plan.seconds = absl::GetFlag(FLAGS_seconds);
  const uint64_t hard_kib = absl::GetFlag(FLAGS_hard_quota_kib);
  const uint64_t soft_kib = absl::GetFlag(FLAGS_soft_quota_kib);
  const char* wrong = nullptr;
  if (plan.threads < 1 || plan.threads > 64) {
    wrong = "--threads takes 1 to 64";
  } else if (plan.requests == 1) {
    wrong = "--requests takes 0, or 2 and more";
  } else if (!(plan.seconds > 0 && plan.seconds <= 3600)) {
    wrong = "--seconds takes more than 0, and up to 3600";
  } else if (hard_kib < 64 || hard_kib > 1048576) {
    wrong = "--hard_quota_kib takes 64 to 1048576";
  } else if (soft_kib > 1048576) {
    wrong = "--soft_quota_kib takes 0 to 1048576";
  }
  if (wrong != nullptr) {
    absl::FPrintF(stderr, "arenas: %s\n", wrong);
    return false;
  }
  plan.limits = {hard_kib * 1024, soft_kib * 1024,
                 absl::GetFlag(FLAGS_monotonic)};
  return true;
}

// Whether the requests went as they should.
bool Check(const std::vector<Document>& documents, const Plan& plan,
           const Results& results) {
  const Tally& total = results.total;
  const bool right = total.wrong == 0 && total.served > 0;
  const bool apart =
      total.astray == 0 && total.bytes_held <= plan.limits.hard_quota;
  bool alone = true;
  for (size_t i = 0; i < documents.size(); ++i) {
    const Tally& tally = results.tallies[i];
    alone = alone && tally.no_memory == (documents[i].bad ? 1 : 0) &&
            (tally.served == 0 || !documents[i].bad);
  }
  const bool told = total.calls_amiss == 0;
  absl::PrintF("every answer is the reference's, on malloc: %s\n",
               YesOrNo(right));
  absl::PrintF("every request stayed in its arena and its quota: %s\n",
               YesOrNo(apart));
  absl::PrintF("the bad request failed, and it alone: %s\n", YesOrNo(alone));
  absl::PrintF("whoever went beyond the soft quota was told so: %s\n",
               YesOrNo(told));
  return right && apart && alone && told;
}

// Shows and checks what the instance has left when all requests are gone, and
// then that the instance goes, too.
bool Leave() {
  request_purge();
  request_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  request_stats(&stats);
  const bool empty = stats.arenas == 0 && stats.blocks_live == 0 &&
                     stats.bytes_live == 0 && stats.bytes_spans == 0 &&
                     stats.bytes_dirty == 0;
  absl::PrintF(
      "nothing is left in the instance: %s (arenas %d, blocks %d, bytes left "
      "%d; at its peak %s)\n",
      YesOrNo(empty), stats.arenas, stats.blocks_live,
      stats.bytes_spans + stats.bytes_dirty,
      common::Bytes(stats.bytes_spans_peak));

  const common::Departure departure = common::ShutDown(
      "request_",
      {stats.address_low, stats.address_high, stats.bytes_reserved,
       stats.bytes_metadata},
      request_shutdown,
      [](const void* address) { return request_owns(address) != 0; });
  absl::PrintF("nothing is left of the instance: %s\n%s",
               YesOrNo(departure.clean), departure.text);
  return empty && departure.clean;
}

int Main(const std::vector<std::string>& names) {
  Plan plan;
  if (!MakePlan(plan)) return kBadInput;
  common::Input input =
      names.empty() ? GenerateFiles() : common::ReadFiles(names);
  std::vector<Document> documents;
  AddDocuments(input, documents);
  for (const std::string& complaint : input.complaints) {
    absl::FPrintF(stderr, "arenas: %s\n", complaint);
  }
  if (documents.empty()) return kBadInput;
  documents.push_back(MakeBad(plan.limits.hard_quota));

  const Results results = RunServer(documents, plan);
  absl::PrintF("%s\n%s\n", MakeTable(documents, results),
               MakeSummary(plan, results));
  const bool good = Check(documents, plan, results);
  const bool gone = Leave();
  if (!good || !gone) return kBroken;
  return input.complaints.empty() ? kGood : kBadInput;
}

}  // namespace
}  // namespace arenas

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "serves requests that parse JSON, each in an arena of its own\n\n"
      "  arenas [--threads=N] [--requests=N | --seconds=N] [file...]\n\n"
      "Without files it makes some JSON itself. One request more is bad: its "
      "tree needs\n"
      "more than the quota, and it fails alone.\n"
      "Ends with 0 if all held, 1 if another request failed, an answer was "
      "wrong or\n"
      "something was left, 2 if some input could not be read.");
  const std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  return arenas::Main({arguments.begin() + 1, arguments.end()});
}
