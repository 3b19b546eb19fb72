// Times of which the median is wanted.
#ifndef EXAMPLES_ARENAS_SAMPLES_H_
#define EXAMPLES_ARENAS_SAMPLES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace arenas {

// Keeps the last ones, so that a long run needs no more memory than a short
// one.
class Samples {
 public:
  void Add(uint64_t value) {
    if (values_.size() < kCapacity) {
      values_.push_back(value);
    } else {
      values_[next_++ % kCapacity] = value;
    }
  }

  // Takes another thread's in, however many they are.
  void Merge(const Samples& other) {
    values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  }

  // 0 if there are none.
  uint64_t Median() const {
    if (values_.empty()) return 0;
    std::vector<uint64_t> order = values_;
    const auto middle = order.begin() + order.size() / 2;
    std::nth_element(order.begin(), middle, order.end());
    return *middle;
  }

 private:
  static constexpr size_t kCapacity = 4096;

  std::vector<uint64_t> values_;
  size_t next_ = 0;
};

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_SAMPLES_H_
