// What is measured: create a heap, allocate from it, destroy it with all that
// is in it.
//
// A contender is a class Heap:
//
//   Heap()                 creates
//   ~Heap()                destroys, blocks and all
//   void* Allocate(size)   null or Fail() where there is no memory
//   void Leave()           optional: what a thread has to do when it is done
//                          with the heap, before somebody destroys it
//   kOfOneThread           true if only its creator may use it
//
// All of them are compiled into the same loops, and call their library through
// a pointer or a virtual function, as code that is linked to a shared object
// does.
#ifndef BENCH_ARENA_BENCH_CYCLE_H_
#define BENCH_ARENA_BENCH_CYCLE_H_

#include <time.h>

#include <array>
#include <cstddef>
#include <memory_resource>
#include <optional>

#include "bench/arena_bench/crew.h"
#include "bench/arena_bench/load.h"
#include "bench/workloads/toolbox.h"

namespace bench {

// Of one cycle, in the mean of a sample.
struct Timing {
  // Between the readings of the clock around each thread's part; all threads
  // together, without what they wait for each other.
  double inside = 0;
  // From the first cycle to the last.
  double wall = 0;
};

using RunFunction = Timing (*)(const Load& load, Crew& crew, size_t cycles);

inline double Now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// The compiler no longer knows which class this is an object of: containers,
// compiled apart from the code that chose a resource, do not either.
inline std::pmr::memory_resource* Disguised(
    std::pmr::memory_resource* resource) {
  asm volatile("" : "+r"(resource));
  return resource;
}

// What a user does with a heap.
template <typename Heap>
[[gnu::noinline]] void Fill(Heap& heap, const Sizes& sizes, size_t first,
                            size_t count) {
  for (size_t i = first; i < first + count; ++i) {
    void* block = heap.Allocate(sizes(i));
    if (block == nullptr) Fail("no memory");
    *static_cast<volatile size_t*>(block) = i;
  }
  if constexpr (requires { heap.Leave(); }) heap.Leave();
}

template <typename Heap>
Timing RunAlone(const Load& load, size_t cycles) {
  const double start = Now();
  for (size_t i = 0; i < cycles; ++i) {
    Heap heap;
    Fill(heap, *load.sizes, 0, load.blocks);
  }
  const double each = (Now() - start) / static_cast<double>(cycles);
  return {each, each};
}

// The heap is created and destroyed by this thread and used by the crew, or is
// four heaps, of one thread each, where it cannot be shared.
template <typename Heap>
Timing RunCrew(const Load& load, Crew& crew, size_t cycles) {
  struct alignas(64) Clock {
    double seconds = 0;
  };
  std::array<Clock, Crew::kSize + 1> clocks;
  double& own = clocks.back().seconds;
  const size_t share = (load.blocks + Crew::kSize - 1) / Crew::kSize;
  std::optional<Heap> heap;
  const auto work = [&](int index) {
    const double start = Now();
    if constexpr (Heap::kOfOneThread) {
      Heap mine;
      Fill(mine, *load.sizes, share * index, share);
    } else {
      Fill(*heap, *load.sizes, share * index, share);
    }
    clocks[index].seconds += Now() - start;
  };
  const double start = Now();
  for (size_t i = 0; i < cycles; ++i) {
    // The clock is read as often in all columns.
    const double before = Now();
    if constexpr (!Heap::kOfOneThread) heap.emplace();
    const double created = Now();
    crew.Run(work);
    const double filled = Now();
    if constexpr (!Heap::kOfOneThread) heap.reset();
    own += created - before + (Now() - filled);
  }
  const auto count = static_cast<double>(cycles);
  const double wall = (Now() - start) / count;
  double inside = 0;
  for (const Clock& clock : clocks) inside += clock.seconds;
  return {inside / count, wall};
}

template <typename Heap>
Timing RunCycles(const Load& load, Crew& crew, size_t cycles) {
  return load.threads == 1 ? RunAlone<Heap>(load, cycles)
                           : RunCrew<Heap>(load, crew, cycles);
}

}  // namespace bench

#endif  // BENCH_ARENA_BENCH_CYCLE_H_
