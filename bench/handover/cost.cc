// What an operation through a handover costs over the bare call:
//
//   cost                 nanoseconds, a table
//   cost <way> <count>   that many rounds, for callgrind.sh to count instructions
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "bench/handover/next_heap.h"
#include "bench/handover/older_heap.h"
#include "bench/runner/statistics.h"
#include "handover/handover.h"

namespace {

constexpr size_t kSize = 64;

alcove::Handover handover;

void Check(bool good) {
  if (!good) std::abort();
}

void ReplaceBy(const alcove::InstanceFunctions& functions) {
  Check(handover.Replace(functions) == alcove::Handover::Status::kOk);
}

struct Way {
  const char* name;
  const char* what;
  void (*prepare)();
  void (*rounds)(size_t count);
};

// Keeps it draining.
void* kept = nullptr;

void* blocks[100000];

void Fill(void* (*allocate)(size_t)) {
  for (void*& block : blocks) block = allocate(kSize);
}

constexpr Way kWays[] = {
    {"nothing", "the loop", [] {},
     [](size_t count) {
       for (size_t i = 0; i < count; ++i) __asm__ volatile("" ::: "memory");
     }},
    {"bare", "malloc and free", [] {},
     [](size_t count) {
       for (size_t i = 0; i < count; ++i) next_free(next_malloc(kSize));
     }},
    {"through", "Allocate and Free",
     [] { ReplaceBy(ALCOVE_INSTANCE_FUNCTIONS(next_)); },
     [](size_t count) {
       for (size_t i = 0; i < count; ++i)
         handover.Free(handover.Allocate(kSize));
     }},
    {"draining", "Allocate and Free while another is draining",
     [] {
       ReplaceBy(ALCOVE_INSTANCE_FUNCTIONS(older_));
       kept = handover.Allocate(kSize);
       ReplaceBy(ALCOVE_INSTANCE_FUNCTIONS(next_));
     },
     [](size_t count) {
       for (size_t i = 0; i < count; ++i)
         handover.Free(handover.Allocate(kSize));
     }},
    {"bare-old", "malloc, many; then free of each", [] {},
     [](size_t count) {
       for (size_t done = 0; done < count; done += std::size(blocks)) {
         Fill(older_malloc);
         for (void* const block : blocks) older_free(block);
       }
     }},
    {"old", "the same, where that one is draining: Free",
     [] {
       ReplaceBy(ALCOVE_INSTANCE_FUNCTIONS(older_));
       ReplaceBy(ALCOVE_INSTANCE_FUNCTIONS(next_));
     },
     [](size_t count) {
       for (size_t done = 0; done < count; done += std::size(blocks)) {
         Fill(older_malloc);
         for (void* const block : blocks) handover.Free(block);
       }
     }},
};

// The median of some rounds, in nanoseconds.
double Nanoseconds(const Way& way) {
  constexpr size_t kCount = 1000000;
  way.prepare();
  std::vector<double> rounds;
  for (int round = 0; round < 15; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    way.rounds(kCount);
    const std::chrono::duration<double, std::nano> took =
        std::chrono::steady_clock::now() - begin;
    rounds.push_back(took.count() / kCount);
  }
  if (kept != nullptr) handover.Free(kept);
  kept = nullptr;
  handover.Retire();
  handover.TryFinish();
  Check(handover.Draining() == 0);
  return bench::Median(rounds);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    for (const Way& way : kWays) {
      if (std::strcmp(way.name, argv[1]) != 0) continue;
      way.prepare();
      way.rounds(std::strtoul(argv[2], nullptr, 10));
      return 0;
    }
  }
  if (argc != 1) return 64;
  for (const Way& way : kWays)
    std::printf("%-10s %6.2f ns  %s\n", way.name, Nanoseconds(way), way.what);
}
