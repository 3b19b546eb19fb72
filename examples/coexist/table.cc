#include "examples/coexist/table.h"

#include <array>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "examples/coexist/heaps.h"
#include "examples/common/numbers.h"

namespace coexist {

namespace {

using common::Bytes;
using common::Number;

class Table {
 public:
  // `cell(i)` is the text in the column of the `i`th allocator.
  template <typename Cell>
  void Row(const std::string& title, Cell cell) {
    absl::StrAppendFormat(&text_, "  %-22s", title);
    for (int i = 0; i < kOwners; ++i)
      absl::StrAppendFormat(&text_, "  %15s", cell(i));
    text_ += '\n';
  }
  // The same for what only the instances have.
  template <typename Cell>
  void InstancesRow(const std::string& title, Cell cell) {
    Row(title, [&](int i) {
      return i == 0 ? std::string("-") : std::string(cell(i));
    });
  }
  void Rule() {
    absl::StrAppend(&text_, "  ", std::string(22 + 17 * kOwners, '-'), "\n");
  }

  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string MakeTable(const Ownership& ownership) {
  const auto& heaps = Heaps();
  std::array<Figures, kOwners> now;
  for (int i = 0; i < kOwners; ++i) now[i] = heaps[i].figures();

  Table table;
  table.Row("", [&](int i) { return heaps[i].name; });
  table.Row("serves", [&](int i) { return heaps[i].job; });
  table.Row("is", [&](int i) { return i == 0 ? "jemalloc" : "alcove"; });
  table.Row("version", [&](int i) { return heaps[i].version(); });
  table.InstancesRow("preset", [&](int i) { return heaps[i].preset; });
  for (const auto& [knob, values] : DifferingKnobs()) {
    table.InstancesRow(knob, [&values = values](int i) { return values[i]; });
  }
  table.Rule();
  table.InstancesRow("blocks live",
                     [&](int i) { return Number(now[i].blocks_live); });
  table.InstancesRow("blocks peak",
                     [&](int i) { return Number(now[i].blocks_peak); });
  table.Row("bytes live", [&](int i) { return Bytes(now[i].bytes_live); });
  table.InstancesRow("bytes peak",
                     [&](int i) { return Bytes(now[i].bytes_peak); });
  table.Row("in spans", [&](int i) { return Bytes(now[i].bytes_spans); });
  table.Row("mapped, accessible",
            [&](int i) { return Bytes(now[i].bytes_committed); });
  table.InstancesRow("mapped, reserved",
                     [&](int i) { return Bytes(now[i].bytes_reserved); });
  table.Row("mapped for metadata",
            [&](int i) { return Bytes(now[i].bytes_metadata); });
  const auto address = [](uintptr_t a) { return absl::StrFormat("%#x", a); };
  table.InstancesRow("addresses from",
                     [&](int i) { return address(now[i].address_low); });
  table.InstancesRow("           to",
                     [&](int i) { return address(now[i].address_high); });
  table.Rule();
  table.Row("blocks asked about",
            [&](int i) { return Number(ownership.sampled(i)); });
  for (int by = 1; by < kOwners; ++by) {
    table.Row(absl::StrCat("  ", heaps[by].name, " owns"),
              [&](int from) { return Number(ownership.owned(from, by)); });
  }
  return table.Take();
}

}  // namespace coexist
