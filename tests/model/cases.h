// The scenarios of the core's protocols, each compiled once with the core's own
// source and once with each mutant of it.
#ifndef ALCOVE_TESTS_MODEL_CASES_H_
#define ALCOVE_TESTS_MODEL_CASES_H_

#include <string>
#include <vector>

#include "tests/model/model.h"

namespace alcove_model {

struct Suite {
  std::string protocol;  // "remote", "tenancy", "ending", ...
  std::string mutant;    // "": the source as it is
  std::vector<Scenario> scenarios;
};

// All that are linked in.
std::vector<Suite>& Suites();

struct Registration {
  explicit Registration(Suite suite) { Suites().push_back(std::move(suite)); }
};

}  // namespace alcove_model

#endif  // ALCOVE_TESTS_MODEL_CASES_H_
