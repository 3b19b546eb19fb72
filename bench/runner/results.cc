#include "bench/runner/results.h"

#include <utility>

#include "bench/runner/statistics.h"

namespace bench {

namespace {

Results::Summary Summarize(
    const std::vector<std::pair<double, size_t>>& ratios) {
  Results::Summary summary;
  std::vector<double> values;
  for (const auto& [ratio, row] : ratios) {
    values.push_back(ratio);
    if (ratio > summary.worst) {
      summary.worst = ratio;
      summary.worst_row = row;
    }
  }
  summary.mean = GeometricMean(values);
  summary.rows = values.size();
  return summary;
}

}  // namespace

const std::vector<double>& Cell::values(Measure measure) const {
  switch (measure) {
    case Measure::kPeak:
      return peak_kib;
    case Measure::kLeft:
      return left_kib;
    case Measure::kTime:
      break;
  }
  return seconds;
}

Results::Results(std::vector<Column> columns, std::vector<Row> rows)
    : columns_(std::move(columns)),
      rows_(std::move(rows)),
      cells_(columns_.size() * rows_.size()) {}

double Results::Value(Measure measure, size_t row, size_t column) const {
  const Cell& here = cell(row, column);
  return here.failure.empty() ? Median(here.values(measure)) : 0;
}

bool Results::Has(Measure measure, size_t row) const {
  for (size_t column = 0; column < columns_.size(); ++column) {
    if (Value(measure, row, column) > 0) return true;
  }
  return false;
}

int Results::BestPeer(Measure measure, size_t row) const {
  int best = -1;
  for (size_t column = 0; column < columns_.size(); ++column) {
    if (columns_[column].ours || columns_[column].aside) continue;
    const double value = Value(measure, row, column);
    if (value > 0 && (best < 0 || value < Value(measure, row, best))) {
      best = static_cast<int>(column);
    }
  }
  return best;
}

double Results::Ratio(Measure measure, size_t row, size_t column) const {
  const int best = BestPeer(measure, row);
  return best < 0 ? 0 : Value(measure, row, column) / Value(measure, row, best);
}

Results::Summary Results::AgainstBest(Measure measure, size_t column) const {
  std::vector<std::pair<double, size_t>> ratios;
  for (size_t row = 0; row < rows_.size(); ++row) {
    const double ratio = Ratio(measure, row, column);
    if (ratio > 0) ratios.emplace_back(ratio, row);
  }
  return Summarize(ratios);
}

Results::Summary Results::Against(Measure measure, size_t column,
                                  size_t other) const {
  std::vector<std::pair<double, size_t>> ratios;
  for (size_t row = 0; row < rows_.size(); ++row) {
    const double value = Value(measure, row, column);
    const double others = Value(measure, row, other);
    if (value > 0 && others > 0) ratios.emplace_back(value / others, row);
  }
  return Summarize(ratios);
}

}  // namespace bench
