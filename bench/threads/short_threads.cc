// short_threads COUNT: what a thread's first malloc costs, and what its end costs
// because it called malloc, in nanoseconds; for threads.sh.
//
// Threads are started one after the other. Every second one calls nothing; the
// others allocate a block, and forty more of many sizes, and free them. What these
// cost more of the process's CPU time until they were joined, less what their calls
// took, is the end.
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::duration<double, std::nano>;

double Median(std::vector<double>* values) {
  std::nth_element(values->begin(), values->begin() + values->size() / 2,
                   values->end());
  return (*values)[values->size() / 2];
}

struct Times {
  double first = 0;
  double calls = 0;
};

void* Idle(void*) { return nullptr; }

void* Busy(void* result) {
  auto* const times = static_cast<Times*>(result);
  const auto start = Clock::now();
  void* volatile block = std::malloc(64);
  const auto after_first = Clock::now();
  void* volatile blocks[40];
  for (size_t i = 0; i < 40; ++i) blocks[i] = std::malloc(16 + i * 50);
  for (void* const each : blocks) std::free(each);
  std::free(block);
  times->first = Nanoseconds(after_first - start).count();
  times->calls = Nanoseconds(Clock::now() - start).count();
  return nullptr;
}

double CpuTime() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 +
         static_cast<double>(time.tv_nsec);
}

// Not std::thread, which frees something in the new thread itself.
double LifeOf(void* (*life)(void*), Times* times) {
  const double start = CpuTime();
  pthread_t thread;
  if (pthread_create(&thread, nullptr, life, times) != 0) std::abort();
  pthread_join(thread, nullptr);
  return CpuTime() - start;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 0;
  if (count < 10) {
    std::fprintf(stderr, "usage: short_threads COUNT, at least 10\n");
    return 64;
  }
  std::vector<double> first, calls, idle, busy;
  for (int i = -count / 10; i < count; ++i) {
    Times times;
    const double idle_life = LifeOf(Idle, nullptr);
    const double busy_life = LifeOf(Busy, &times);
    if (i < 0) continue;  // what is mapped once for all
    first.push_back(times.first);
    calls.push_back(times.calls);
    idle.push_back(idle_life);
    busy.push_back(busy_life);
  }
  std::printf("%.0f %.0f %.0f\n", Median(&first), Median(&calls),
              Median(&busy) - Median(&idle) - Median(&calls));
}
