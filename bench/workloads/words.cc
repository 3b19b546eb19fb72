// What C++ programs do with text: split it into strings, count them in a map,
// sort them, join them. Strings that do not fit in themselves, tree nodes and
// vectors that grow, all by operator new. espresso and lean play this part in
// mimalloc-bench.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kWords = 12000;

// Words of 1 to 40 letters, the short ones often.
std::string MakeText() {
  Random random(8);
  std::string text;
  for (size_t i = 0; i < kWords; ++i) {
    // The product of two makes small ones likely; the seed of a word makes it
    // recur.
    const size_t rank = random.Below(60) * random.Below(60);
    Random letters(rank);
    for (size_t n = 1 + letters.Below(40); n > 0; --n) {
      text += static_cast<char>('a' + letters.Below(26));
    }
    text += ' ';
  }
  return text;
}

size_t Process(std::string_view text) {
  std::map<std::string, size_t> counts;
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find(' ', begin);
    words.emplace_back(text.substr(begin, end - begin));
    ++counts[words.back()];
    begin = end + 1;
  }
  std::sort(words.begin(), words.end());
  std::string joined;
  for (const auto& [word, count] : counts) {
    joined += word + "=" + std::to_string(count) + "\n";
  }
  return joined.size() + words.size();
}

void Words(Run& run, const Workload&) {
  const std::string text = MakeText();
  const size_t times = run.Times(60);
  size_t sum = 0;
  run.Start();
  for (size_t i = 0; i < times; ++i) sum += Process(text);
  run.Stop();
  Use(&sum);
}

constexpr Workload kRows[] = {
    {"words", "text split, counted, sorted and joined by the C++ library",
     Words},
};

}  // namespace

std::span<const Workload> WordsRows() { return kRows; }

}  // namespace bench
