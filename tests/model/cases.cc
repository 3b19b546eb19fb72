#include "tests/model/cases.h"

namespace alcove_model {

std::vector<Suite>& Suites() {
  static auto* const suites = new std::vector<Suite>;
  return *suites;
}

}  // namespace alcove_model
