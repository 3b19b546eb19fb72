// What a whole run of the benchmark measured, and what can be said about it.
#ifndef BENCH_RUNNER_RESULTS_H_
#define BENCH_RUNNER_RESULTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "bench/runner/column.h"
#include "bench/runner/source.h"

namespace bench {

// One of the three things that a run of a row says.
enum class Measure {
  kTime,
  kPeak,  // the peak resident set
  kLeft,  // resident after idling
};

// All runs of one row with one column.
struct Cell {
  // Not empty: there is no figure, and why ("crashed (SIGSEGV)").
  std::string failure;
  // What it said before it failed; may be empty.
  std::string detail;
  std::vector<double> seconds;
  std::vector<double> peak_kib;
  std::vector<double> left_kib;  // empty where the row does not report it

  const std::vector<double>& values(Measure measure) const;
};

class Results {
 public:
  Results(std::vector<Column> columns, std::vector<Row> rows);

  const std::vector<Column>& columns() const { return columns_; }
  const std::vector<Row>& rows() const { return rows_; }
  Cell& cell(size_t row, size_t column) {
    return cells_[row * columns_.size() + column];
  }
  const Cell& cell(size_t row, size_t column) const {
    return cells_[row * columns_.size() + column];
  }

  // The row has a figure in at least one column.
  bool Has(Measure measure, size_t row) const;

  // The median; 0 if there is no figure.
  double Value(Measure measure, size_t row, size_t column) const;

  // The column of the best peer in a row: the smallest value of those that are
  // neither ours nor aside. Negative if no peer has a figure.
  int BestPeer(Measure measure, size_t row) const;

  // Value over the best peer's; 0 if one of them has no figure.
  double Ratio(Measure measure, size_t row, size_t column) const;

  // What Ratio says over all rows, or Value against another column's.
  struct Summary {
    double mean = 0;   // geometric; 0: there are no rows
    double worst = 0;  // the largest ratio
    size_t worst_row = 0;
    size_t rows = 0;
  };
  Summary AgainstBest(Measure measure, size_t column) const;
  Summary Against(Measure measure, size_t column, size_t other) const;

 private:
  std::vector<Column> columns_;
  std::vector<Row> rows_;
  std::vector<Cell> cells_;
};

}  // namespace bench

#endif  // BENCH_RUNNER_RESULTS_H_
