// The report: words in order and how often each was seen, kept in order while
// words still arrive. All of its memory is the instance `report_`, as a
// polymorphic memory resource.
#ifndef EXAMPLES_COEXIST_REPORT_H_
#define EXAMPLES_COEXIST_REPORT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory_resource>
#include <string>
#include <vector>

#include "examples/coexist/report_heap.h"

namespace coexist {

// A word that an indexer saw `count` times more.
struct News {
  News(std::pmr::string seen, uint64_t times)
      : word(std::move(seen)), count(times) {}

  std::pmr::string word;
  uint64_t count;
};

// What indexers hand to the reporter.
using Bulletin = std::pmr::vector<News>;

using Report = std::pmr::map<std::pmr::string, uint64_t, std::less<>>;

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_REPORT_H_
