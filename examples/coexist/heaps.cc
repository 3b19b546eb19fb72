#include "examples/coexist/heaps.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "examples/coexist/catalog_heap.h"
#include "examples/coexist/jemalloc.h"
#include "examples/coexist/report_heap.h"
#include "examples/coexist/words_heap.h"

namespace coexist {

namespace {

// Every instance has a stats_t of its own; their members are the same.
template <typename Stats>
Figures FiguresOf(int (*take)(Stats*) noexcept) {
  Stats stats = {};
  stats.struct_size = sizeof(stats);
  take(&stats);
  return {stats.blocks_live,    stats.blocks_peak,    stats.bytes_live,
          stats.bytes_peak,     stats.bytes_spans,    stats.bytes_committed,
          stats.bytes_reserved, stats.bytes_metadata, stats.address_low,
          stats.address_high};
}

using Knobs = std::map<std::string, std::string>;

// Takes {"knob":value,"knob":value} apart; no value of a configuration is an
// object.
Knobs ParseConfig(absl::string_view json) {
  Knobs knobs;
  json = absl::StripPrefix(absl::StripSuffix(json, "}"), "{");
  for (absl::string_view member : absl::StrSplit(json, ',')) {
    std::pair<std::string, std::string> pair =
        absl::StrSplit(member, absl::MaxSplits(':', 1));
    for (std::string* part : {&pair.first, &pair.second}) {
      *part =
          std::string(absl::StripSuffix(absl::StripPrefix(*part, "\""), "\""));
    }
    knobs.insert(std::move(pair));
  }
  return knobs;
}

}  // namespace

const std::array<Heap, kOwners>& Heaps() {
  static const std::array<Heap, kOwners> heaps = {{
      {"malloc", "everything else", "", jemalloc::Version, [] { return ""; },
       jemalloc::TakeFigures, nullptr, nullptr},
      {"words_", "tokenizer", "default",
       [] { return std::string(words_version()); }, words_config,
       [] { return FiguresOf(words_stats); },
       [](const void* address) { return words_owns(address) != 0; },
       words_shutdown},
      {"catalog_", "hash map", "debug",
       [] { return std::string(catalog_version()); }, catalog_config,
       [] { return FiguresOf(catalog_stats); },
       [](const void* address) { return catalog_owns(address) != 0; },
       catalog_shutdown},
      {"report_", "sorted report", "own knobs",
       [] { return std::string(report_version()); }, report_config,
       [] { return FiguresOf(report_stats); },
       [](const void* address) { return report_owns(address) != 0; },
       report_shutdown},
  }};
  return heaps;
}

std::map<std::string, std::array<std::string, kOwners>> DifferingKnobs() {
  std::map<std::string, std::array<std::string, kOwners>> all;
  for (int i = 1; i < kOwners; ++i) {
    for (auto& [knob, value] : ParseConfig(Heaps()[i].config()))
      all[knob][i] = value;
  }
  // Those are shown elsewhere.
  all.erase("prefix");
  all.erase("version");
  for (auto knob = all.begin(); knob != all.end();) {
    const std::set<std::string> values(knob->second.begin() + 1,
                                       knob->second.end());
    knob = values.size() == 1 ? all.erase(knob) : std::next(knob);
  }
  return all;
}

}  // namespace coexist
