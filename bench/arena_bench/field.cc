#include "bench/arena_bench/field.h"

#include <algorithm>
#include <cmath>

namespace bench {

namespace {

// Warms the heap up as well.
size_t CyclesOfASample(const Contender& contender, const Load& load, Crew& crew,
                       double seconds) {
  size_t cycles = 1;
  double each = contender.run(load, crew, cycles).wall;
  while (each * static_cast<double>(cycles) < seconds / 4) {
    cycles *= 2;
    each = contender.run(load, crew, cycles).wall;
  }
  return std::max<size_t>(1, std::lround(seconds / each));
}

// A contender's place in the tables.
struct Place {
  KindResults* results;
  size_t column;
  size_t cycles = 0;
};

std::vector<Place> EmptyTables(const std::vector<Contender>& contenders,
                               const std::vector<Load>& loads,
                               std::vector<KindResults>* all) {
  std::vector<Row> rows;
  rows.reserve(loads.size());
  for (const Load& load : loads) rows.push_back({load.name, load.what, ""});
  all->reserve(2);
  std::vector<Place> places(contenders.size());
  for (const Kind kind : {Kind::kGeneral, Kind::kMonotonic}) {
    std::vector<Column> columns;
    for (size_t i = 0; i < contenders.size(); ++i) {
      if (contenders[i].kind != kind) continue;
      places[i].column = columns.size();
      columns.push_back(contenders[i].column);
    }
    all->push_back({kind, Results(columns, rows), Results(columns, rows)});
    for (size_t i = 0; i < contenders.size(); ++i) {
      if (contenders[i].kind == kind) places[i].results = &all->back();
    }
  }
  return places;
}

}  // namespace

std::vector<KindResults> MeasureField(
    const std::vector<Contender>& contenders, const std::vector<Load>& loads,
    const FieldOptions& options,
    const std::function<void(const Load&)>& progress) {
  std::vector<KindResults> all;
  std::vector<Place> places = EmptyTables(contenders, loads, &all);
  Crew crew;
  for (size_t row = 0; row < loads.size(); ++row) {
    const Load& load = loads[row];
    for (size_t i = 0; i < contenders.size(); ++i) {
      const Place& place = places[i];
      const std::string& absent = contenders[i].column.absent;
      place.results->inside.cell(row, place.column).failure = absent;
      place.results->wall.cell(row, place.column).failure = absent;
      if (!absent.empty()) continue;
      places[i].cycles =
          CyclesOfASample(contenders[i], load, crew, options.sample_seconds);
    }
    for (int repeat = 0; repeat < options.repeats; ++repeat) {
      for (size_t i = 0; i < contenders.size(); ++i) {
        const Place& place = places[i];
        if (!contenders[i].column.absent.empty()) continue;
        // The others had the caches, and time has passed for memory to go.
        contenders[i].run(load, crew, place.cycles / 10 + 1);
        const Timing timing = contenders[i].run(load, crew, place.cycles);
        place.results->inside.cell(row, place.column)
            .seconds.push_back(timing.inside);
        if (load.threads > 1) {
          place.results->wall.cell(row, place.column)
              .seconds.push_back(timing.wall);
        }
      }
    }
    progress(load);
  }
  return all;
}

}  // namespace bench
