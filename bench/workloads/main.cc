// All rows of our own in one program, so that every allocator is measured by
// the same code:
//
//   workloads --list           prints a line "name<TAB>what it stands for" for
//   each row workloads [--quick] NAME   runs one, and prints what
//   bench/source.h asks for
#include <dlfcn.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr double kBudgetSeconds = 0.16;
constexpr double kQuickBudgetSeconds = 0.01;

double Now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// A value in KiB from /proc/self/status; without the C library's streams, which
// allocate.
long StatusKib(const char* key) {
  char text[4096];
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  const ssize_t size = read(file, text, sizeof(text) - 1);
  close(file);
  if (size <= 0) return -1;
  text[size] = '\0';
  const char* line = std::strstr(text, key);
  return line == nullptr ? -1 : std::atol(line + std::strlen(key));
}

constexpr std::span<const Workload> (*kFiles[])() = {
    PairRows,          BatchRows,        WorkingSetRows,  GroupsRows,
    TreesRows,         BignumRows,       WordsRows,       LruCacheRows,
    FragmentationRows, GrowthRows,       CallocRows,      AlignedRows,
    HandoffRows,       RingRows,         ServerChurnRows, ShortThreadsRows,
    ThreadsApartRows,  FalseSharingRows, CrowdRows,       DeadThreadsRows,
    BurstIdleRows,
};

const Workload* Find(const char* name) {
  for (const auto rows : kFiles) {
    for (const Workload& row : rows()) {
      if (std::strcmp(row.name, name) == 0) return &row;
    }
  }
  return nullptr;
}

int List() {
  for (const auto rows : kFiles) {
    for (const Workload& row : rows())
      std::printf("%s\t%s\n", row.name, row.what);
  }
  return 0;
}

void Report(const Run& run) {
  const long peak = StatusKib("VmHWM:");
  std::printf("bench: seconds=%.9f\n", run.seconds());
  if (run.operations() > 0) {
    std::printf("bench: operations=%llu\n",
                static_cast<unsigned long long>(run.operations()));
  }
  if (peak >= 0) std::printf("bench: peak_kib=%ld\n", peak);
  if (run.left() >= 0) std::printf("bench: left_kib=%ld\n", run.left());
  // A preload that did not take would measure another allocator under its name.
  Dl_info info;
  if (dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info) != 0) {
    std::printf("bench: malloc=%s\n", info.dli_fname);
  }
}

}  // namespace

void Run::Start() { started_ = Now(); }

void Run::Stop(uint64_t operations) {
  seconds_ += Now() - started_;
  operations_ += operations;
}

bool Run::Continue() const {
  return Now() - started_ < (quick_ ? kQuickBudgetSeconds : kBudgetSeconds);
}

void Run::IdleAndReportLeft() {
  timespec rest = {1, 0};
  if (quick_) rest = {0, 200'000'000};
  while (nanosleep(&rest, &rest) != 0) {
  }
  left_ = StatusKib("VmRSS:");
}

}  // namespace bench

int main(int argc, char** argv) {
  bool quick = false;
  const char* name = nullptr;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--list") == 0) return bench::List();
    if (std::strcmp(argv[i], "--quick") == 0) {
      quick = true;
    } else {
      name = argv[i];
    }
  }
  const bench::Workload* row = name == nullptr ? nullptr : bench::Find(name);
  if (row == nullptr) {
    std::fprintf(stderr, "usage: workloads --list | [--quick] NAME\n");
    return 64;
  }
  bench::Run run(quick);
  row->run(run, *row);
  bench::Report(run);
  return 0;
}
