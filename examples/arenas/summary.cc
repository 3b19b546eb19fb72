#include "examples/arenas/summary.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "examples/common/numbers.h"

namespace arenas {

namespace {

using common::Bytes;
using common::Number;

// "340 ns", "52.1 us", "10.3 ms".
std::string Time(uint64_t nanoseconds) {
  if (nanoseconds < 10000) return absl::StrCat(Number(nanoseconds), " ns");
  const auto value = static_cast<double>(nanoseconds);
  return nanoseconds < 10000000 ? absl::StrFormat("%.1f us", value / 1e3)
                                : absl::StrFormat("%.1f ms", value / 1e6);
}

// The end of a long name tells more than its beginning.
std::string Shortened(const std::string& name) {
  constexpr size_t kMax = 20;
  return name.size() <= kMax
             ? name
             : absl::StrCat("...", name.substr(name.size() - (kMax - 3)));
}

std::string Row(const Document& document, const Tally& tally) {
  // Of the bad one's tree nobody has seen the end.
  const auto known = [&document](uint64_t number) {
    return document.bad ? std::string("-") : Number(number);
  };
  return absl::StrFormat(
      "  %-20s  %10s  %9s  %5s  %9s  %6s  %10s  %9s  %9s  %9s\n",
      Shortened(document.name), Bytes(document.text.size()),
      known(document.digest.values), known(document.digest.depth),
      Number(tally.served), Number(tally.wrong + tally.no_memory),
      Bytes(tally.bytes_held), Time(tally.total_ns.Median()),
      Time(tally.create_ns.Median()), Time(tally.destroy_ns.Median()));
}

std::string Reason(const Failure& failure, const Limits& limits) {
  if (failure.outcome.status == Outcome::Status::kWrong) {
    return "the answer is not the reference's";
  }
  return absl::StrFormat(
      "std::bad_alloc, its quota is %s (of which its arena held %s)",
      Bytes(limits.hard_quota), Bytes(failure.outcome.bytes_held));
}

}  // namespace

std::string MakeTable(const std::vector<Document>& documents,
                      const Results& results) {
  std::string text = absl::StrFormat(
      "  %-20s  %10s  %9s  %5s  %9s  %6s  %10s  %9s  %9s  %9s\n", "document",
      "text", "values", "depth", "served", "failed", "held", "request",
      "create", "destroy");
  absl::StrAppend(&text, "  ", std::string(text.size() - 3, '-'), "\n");
  for (size_t i = 0; i < documents.size(); ++i) {
    absl::StrAppend(&text, Row(documents[i], results.tallies[i]));
  }
  return text;
}

std::string MakeSummary(const Plan& plan, const Results& results) {
  const Tally& total = results.total;
  const uint64_t failed = total.wrong + total.no_memory;
  std::string text = absl::StrFormat(
      "%d threads in %.2f s: %s requests served, %s failed; %s requests per "
      "second\n",
      plan.threads, results.seconds, Number(total.served), Number(failed),
      Number(static_cast<uint64_t>(static_cast<double>(total.served) /
                                   results.seconds)));
  absl::StrAppendFormat(
      &text,
      "arena cost per request, median: %s to create, %s to destroy; %.2f %% of "
      "all time in requests\n",
      Time(total.create_ns.Median()), Time(total.destroy_ns.Median()),
      100 * static_cast<double>(total.all_arenas_ns) /
          static_cast<double>(total.all_requests_ns));
  if (plan.limits.soft_quota == 0) {
    absl::StrAppend(&text, "soft quota: none\n");
  } else {
    absl::StrAppendFormat(
        &text, "soft quota of %s: exceeded by %s requests, told by %s calls\n",
        Bytes(plan.limits.soft_quota), Number(total.over_soft_quota),
        Number(total.soft_quota_calls));
  }
  for (const Failure& failure : results.failures) {
    absl::StrAppendFormat(
        &text, "failed: request %s, %s: %s\n", Number(failure.request.number),
        failure.request.document->name, Reason(failure, plan.limits));
  }
  if (failed > results.failures.size()) {
    absl::StrAppendFormat(&text, "failed: %s more\n",
                          Number(failed - results.failures.size()));
  }
  return text;
}

}  // namespace arenas
