// What a malloc and a free cost for each choice of the knob `tls`, in a shared
// object that was opened by dlopen: there the choices differ. (In a program,
// linkers turn all but pthread_key into the fastest.) And what a pin and the calls
// for many blocks save. All of them take turns.
//
//   ./bazelw run //bench/tls [-- <samples>]
#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/runner/statistics.h"

namespace {

struct Choice {
  std::string name;
  bool (*loops[5])(size_t);
  std::vector<double> nanoseconds[5];
};

constexpr const char* kLoops[] = {"Pairs", "PinnedPairs", "Batches",
                                  "PinnedBatches", "CalledBatches"};
constexpr int kLoopCount = 5;
constexpr size_t kCount = 2'000'000;

}  // namespace

int main(int argc, char** argv) {
  const int samples = argc > 1 ? std::atoi(argv[1]) : 15;
  if (samples < 1) {
    std::fprintf(stderr, "tls: '%s' is no number of samples\n", argv[1]);
    return 2;
  }
  std::vector<Choice> choices;
  for (const char* name :
       {"initial_exec", "general_dynamic", "tlsdesc", "pthread_key"}) {
    const std::string path = absl::StrCat("bench/tls/lib", name, ".so");
    void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      std::fprintf(stderr, "tls: %s\n", dlerror());
      return 1;
    }
    Choice choice = {name, {}, {}};
    for (int i = 0; i < kLoopCount; ++i) {
      choice.loops[i] =
          reinterpret_cast<bool (*)(size_t)>(dlsym(handle, kLoops[i]));
    }
    choices.push_back(choice);
  }
  for (int sample = 0; sample < samples; ++sample) {
    for (Choice& choice : choices) {
      for (int i = 0; i < kLoopCount; ++i) {
        const auto start = std::chrono::steady_clock::now();
        if (!choice.loops[i](kCount)) {
          std::fprintf(stderr, "tls: no memory for %s\n", choice.name.c_str());
          return 1;
        }
        const std::chrono::duration<double, std::nano> time =
            std::chrono::steady_clock::now() - start;
        choice.nanoseconds[i].push_back(time.count() / kCount);
      }
    }
  }
  std::string table =
      "| ns for a malloc and a free | one at a time | pinned | a hundred at a "
      "time | pinned | by batch calls |\n"
      "| --- | ---: | ---: | ---: | ---: | ---: |\n";
  for (const Choice& choice : choices) {
    absl::StrAppend(&table, "| ", choice.name);
    for (int i = 0; i < kLoopCount; ++i) {
      absl::StrAppend(
          &table, absl::StrFormat(" | %.2f ±%.0f%%",
                                  bench::Median(choice.nanoseconds[i]),
                                  50 * bench::Spread(choice.nanoseconds[i])));
    }
    table += " |\n";
  }
  std::fputs(table.c_str(), stdout);
}
