// How long a race goes on: HANDOVER_SECONDS=<n>, 2 by default.
#ifndef TESTS_HANDOVER_DURATION_H_
#define TESTS_HANDOVER_DURATION_H_

#include <chrono>
#include <cstdlib>

namespace handover_tests {

class Duration {
 public:
  Duration() {
    const char* const text = std::getenv("HANDOVER_SECONDS");
    end_ += std::chrono::milliseconds(
        text != nullptr ? static_cast<int>(std::atof(text) * 1000) : 2000);
  }
  bool IsOver() const { return std::chrono::steady_clock::now() >= end_; }

 private:
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now();
};

}  // namespace handover_tests

#endif  // TESTS_HANDOVER_DURATION_H_
