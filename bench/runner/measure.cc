#include "bench/runner/measure.h"

namespace bench {

void MeasureAll(const MeasureOptions& options, Results& results,
                const std::function<void(const Progress&)>& progress) {
  const size_t columns = results.columns().size();
  const size_t total = results.rows().size() * columns * options.repeats;
  size_t done = 0;
  for (size_t row = 0; row < results.rows().size(); ++row) {
    for (int repeat = 0; repeat < options.repeats; ++repeat) {
      for (size_t column = 0; column < columns; ++column) {
        const Column& allocator = results.columns()[column];
        Cell& cell = results.cell(row, column);
        Outcome outcome;
        if (!allocator.absent.empty()) {
          outcome.failure = allocator.absent;
        } else if (!cell.failure.empty()) {
          outcome.failure = cell.failure;
        } else {
          outcome = RunRow(results.rows()[row], allocator.library,
                           options.quick, options.timeout_seconds);
        }
        cell.failure = outcome.failure;
        if (!outcome.failure.empty() && cell.detail.empty()) {
          cell.detail = outcome.detail;
        }
        if (outcome.failure.empty()) {
          cell.seconds.push_back(outcome.seconds);
          cell.peak_kib.push_back(outcome.peak_kib);
          if (outcome.left_kib >= 0) cell.left_kib.push_back(outcome.left_kib);
        } else if (outcome.missing) {
          // No column can run this row; do not ask each of them.
          for (size_t other = 0; other < columns; ++other) {
            results.cell(row, other).failure = outcome.failure;
          }
        }
        ++done;
        progress({done, total, row, column, repeat, outcome});
      }
    }
  }
}

}  // namespace bench
