// What it costs to have many instances: the size of a copy, the memory of an
// idle one and of each further thread, and a call's time when 1, 8, 64, 256
// instances take turns.
//
//   many_instances [--quick] [--write]
//
// Prints a table; with --write, bench/many_instances/RESULTS.md as well. Memory
// is what /proc/self/smaps_rollup counts, page by page: statm lags behind by
// some pages a thread, which is more than what is measured here.
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/many_instances/elf_size.h"

namespace {

using Malloc = void* (*)(size_t);
using Free = void (*)(void*);

struct Instance {
  Malloc malloc;
  Free free;
};

}  // namespace

extern "C" {
#define INSTANCE(prefix)                 \
  void* prefix##malloc(size_t) noexcept; \
  void prefix##free(void*) noexcept;
#include INSTANCE_LIST
#undef INSTANCE
}

namespace {

#define INSTANCE(prefix) {prefix##malloc, prefix##free},
constexpr Instance kInstances[] = {
#include INSTANCE_LIST
};
#undef INSTANCE

constexpr size_t kCount = std::size(kInstances);
constexpr size_t kSize = 64;
constexpr char kObject[] = "bench/many_instances/many0_heap.alcove/audited.o";

// In KiB.
struct Memory {
  long anonymous;    // private to the process
  long page_tables;  // the kernel's, on top of it
};

long Value(const char* path, const char* key) {
  char text[8192];
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t size = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
  if (file >= 0) close(file);
  if (size <= 0) return 0;
  text[size] = '\0';
  const char* line = std::strstr(text, key);
  return line == nullptr ? 0 : std::atol(line + std::strlen(key));
}

Memory Now() {
  return {Value("/proc/self/smaps_rollup", "\nAnonymous:"),
          Value("/proc/self/status", "\nVmPTE:")};
}

double Seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::string report;

void Line(const char* format, ...) __attribute__((format(printf, 1, 2)));
void Line(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  std::printf("%s\n", text);
  report += std::string(text) + "\n";
}

// Called by the program's name in its runfiles, or where the build left it.
void SizeOfACopy() {
  bench::ElfSize size;
  if (!bench::ReadElfSize(kObject, &size)) return;
  Line("| code of a copy | %zu B |", size.code);
  Line("| constants and unwind tables of a copy | %zu B |", size.constants);
  Line("| data of a copy | %zu B |", size.data);
  Line("| static TLS of a copy | %zu B |", size.tls);
}

void FirstMallocs() {
  // The first reading maps what reading takes.
  Now();
  const Memory before = Now();
  kInstances[0].free(kInstances[0].malloc(kSize));
  const Memory one = Now();
  Line("| first malloc and free of an instance | %ld KiB |",
       one.anonymous - before.anonymous);
  for (const Instance& instance : kInstances) {
    instance.free(instance.malloc(kSize));
  }
  const Memory all = Now();
  constexpr double kOthers = kCount > 1 ? kCount - 1 : 1;
  Line("| mean over %zu further instances | %.1f KiB |", kCount - 1,
       static_cast<double>(all.anonymous - one.anonymous) / kOthers);
  Line("| page tables for each of them | %.1f KiB |",
       static_cast<double>(all.page_tables - one.page_tables) / kOthers);
}

struct Threads {
  pthread_barrier_t started;
  pthread_barrier_t go;
  pthread_barrier_t allocated;
  pthread_barrier_t end;
};

void* Allocate(void* argument) {
  auto* threads = static_cast<Threads*>(argument);
  // The stack that the barriers and the first malloc will take.
  volatile char stack[8192];
  for (size_t i = 0; i < sizeof(stack); i += 512) stack[i] = 0;
  pthread_barrier_wait(&threads->started);
  pthread_barrier_wait(&threads->go);
  kInstances[0].free(kInstances[0].malloc(kSize));
  pthread_barrier_wait(&threads->allocated);
  pthread_barrier_wait(&threads->end);
  return nullptr;
}

void FurtherThreads() {
  constexpr unsigned kThreads = 32;
  Threads threads;
  for (pthread_barrier_t* barrier :
       {&threads.started, &threads.go, &threads.allocated, &threads.end}) {
    pthread_barrier_init(barrier, nullptr, kThreads + 1);
  }
  pthread_t ids[kThreads];
  for (pthread_t& id : ids) {
    if (pthread_create(&id, nullptr, Allocate, &threads) != 0) std::abort();
  }
  pthread_barrier_wait(&threads.started);
  const Memory before = Now();
  pthread_barrier_wait(&threads.go);
  pthread_barrier_wait(&threads.allocated);
  const Memory after = Now();
  pthread_barrier_wait(&threads.end);
  for (const pthread_t id : ids) pthread_join(id, nullptr);
  Line("| each of %u further threads | %.1f KiB |", kThreads,
       static_cast<double>(after.anonymous - before.anonymous) / kThreads);
}

// Nanoseconds of a malloc and free when the first n instances take turns.
double Turns(size_t n, size_t pairs) {
  const double start = Seconds();
  for (size_t done = 0; done < pairs; done += n) {
    for (size_t i = 0; i < n; ++i) {
      void* block = kInstances[i].malloc(kSize);
      *static_cast<volatile char*>(block) = 1;
      kInstances[i].free(block);
    }
  }
  return (Seconds() - start) * 1e9 /
         static_cast<double>((pairs + n - 1) / n * n);
}

void CallsInTurn(bool quick) {
  constexpr size_t kTurns[] = {1, 8, 64, 256};
  constexpr size_t kRepeats = 9;
  const size_t pairs = quick ? 20000 : 4000000;
  double times[std::size(kTurns)][kRepeats];
  // Live neighbours, as in the benchmark's rows of pairs; never freed.
  for (const Instance& instance : kInstances) instance.malloc(kSize);
  for (size_t repeat = 0; repeat < kRepeats; ++repeat) {
    for (size_t k = 0; k < std::size(kTurns); ++k) {
      if (kTurns[k] <= kCount) times[k][repeat] = Turns(kTurns[k], pairs);
    }
  }
  double one = 0;
  for (size_t k = 0; k < std::size(kTurns); ++k) {
    if (kTurns[k] > kCount) continue;
    std::sort(times[k], times[k] + kRepeats);
    const double median = times[k][kRepeats / 2];
    if (k == 0) one = median;
    Line("| malloc and free of %zu B, %zu in turn | %.2f ns, %.2f of one |",
         kSize, kTurns[k], median, median / one);
  }
}

}  // namespace

int main(int argc, char** argv) {
  bool quick = false;
  bool write = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) {
      quick = true;
    } else if (std::strcmp(argv[i], "--write") == 0) {
      write = true;
    } else {
      std::fprintf(stderr, "usage: many_instances [--quick] [--write]\n");
      return 64;
    }
  }
  Line("| %zu instances of the preset `default` | |", kCount);
  Line("| --- | ---: |");
  SizeOfACopy();
  FirstMallocs();
  FurtherThreads();
  CallsInTurn(quick);

  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (write && workspace != nullptr) {
    const std::string path =
        std::string(workspace) + "/bench/many_instances/RESULTS.md";
    std::FILE* file = std::fopen(path.c_str(), "w");
    if (file == nullptr) {
      std::perror(path.c_str());
      return 1;
    }
    std::fprintf(file,
                 "# The cost of being many\n\nWritten by `./bazelw run "
                 "//bench/many_instances -- --write`.\n\n%s",
                 report.c_str());
    std::fclose(file);
    std::printf("wrote %s\n", path.c_str());
  }
  return 0;
}
