// Replays traces; a source of rows for bench/runner:
//
//   replay --list                 a line "name<TAB>what it stands for" for each
//   replay [--quick] NAME         one of these, or the path of a trace
//   replay --describe NAME        what is in it
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "bench/trace/replayer.h"
#include "bench/trace/trace.h"

namespace bench {
namespace {

constexpr double kBudgetSeconds = 0.16;
constexpr double kQuickBudgetSeconds = 0.01;

struct Row {
  const char* name;
  const char* what;
};

constexpr Row kRows[] = {
    {"trace_gxx", "g++ compiling heavy templates: replayed from a trace"},
    {"trace_python3", "python3, JSON and sorting: replayed from a trace"},
    {"trace_sqlite3", "sqlite3, inserts and selects: replayed from a trace"},
    {"trace_redis",
     "redis-server under redis-benchmark, I/O threads and all: "
     "replayed from a trace"},
};

double Now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// The file mapped, so that malloc has no part in it; empty if there is none.
std::string_view Map(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  struct stat status;
  void* map = MAP_FAILED;
  if (fstat(file, &status) == 0 && status.st_size > 0) {
    map = mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ,
               MAP_PRIVATE, file, 0);
  }
  close(file);
  if (map == MAP_FAILED) return {};
  return {static_cast<const char*>(map), static_cast<size_t>(status.st_size)};
}

// A trace of ours lies beside this program, or in the runfiles of one of the
// two that a runner and this one have.
std::string_view MapNamed(const char* program, const char* name) {
  if (strchr(name, '/') != nullptr) return Map(name);
  const char* const slash = strrchr(program, '/');
  const int folder = slash == nullptr ? 0 : static_cast<int>(slash - program);
  char path[4096];
  snprintf(path, sizeof(path), "%.*s/traces/%s.trace", folder, program, name);
  if (const auto file = Map(path); !file.empty()) return file;
  snprintf(path, sizeof(path), "bench/trace/traces/%s.trace", name);
  if (const auto file = Map(path); !file.empty()) return file;
  // The workspace is `_main` where there are modules.
  for (const char* workspace : {"alcove", "_main"}) {
    snprintf(path, sizeof(path), "%s.runfiles/%s/bench/trace/traces/%s.trace",
             program, workspace, name);
    if (const auto file = Map(path); !file.empty()) return file;
  }
  return {};
}

// Makes the kernel forget how much memory this process once had.
void ForgetPeak() {
  const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written = write(file, "5", 1);
  close(file);
}

long PeakKib() {
  char text[4096];
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  const ssize_t size = read(file, text, sizeof(text) - 1);
  close(file);
  if (size <= 0) return -1;
  text[size] = '\0';
  const char* const line = strstr(text, "VmHWM:");
  return line == nullptr ? -1 : atol(line + strlen("VmHWM:"));
}

void Describe(const Trace& trace) {
  uint64_t kinds[5] = {};
  for (size_t i = 0; i < trace.ops.size(); ++i) ++kinds[trace.ops[i].kind];
  printf(
      "operations=%zu malloc=%llu calloc=%llu aligned=%llu realloc=%llu "
      "free=%llu threads=%u blocks_peak=%u bytes_peak=%llu\n",
      trace.ops.size(), static_cast<unsigned long long>(kinds[0]),
      static_cast<unsigned long long>(kinds[1]),
      static_cast<unsigned long long>(kinds[2]),
      static_cast<unsigned long long>(kinds[3]),
      static_cast<unsigned long long>(kinds[4]), trace.threads,
      trace.blocks_peak, static_cast<unsigned long long>(trace.bytes_peak));
}

int Replay(const Trace& trace, bool quick) {
  Replayer replayer(trace);
  ForgetPeak();
  const double begin = Now();
  double seconds;
  uint64_t operations = 0;
  do {
    if (!replayer.Run()) {
      fprintf(stderr, "replay: %s\n", replayer.why());
      return 1;
    }
    operations += trace.ops.size();
    seconds = Now() - begin;
  } while (seconds < (quick ? kQuickBudgetSeconds : kBudgetSeconds));
  const long peak = PeakKib();
  printf("bench: seconds=%.9f\n", seconds);
  printf("bench: operations=%llu\n",
         static_cast<unsigned long long>(operations));
  if (peak >= 0) {
    const size_t own = replayer.own_bytes() + trace.ops.bytes();
    printf("bench: peak_kib=%ld\n", peak - static_cast<long>(own / 1024));
  }
  // A preload that did not take would measure another allocator under its name.
  Dl_info info;
  if (dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info) != 0) {
    printf("bench: malloc=%s\n", info.dli_fname);
  }
  return 0;
}

int Main(int argc, char** argv) {
  bool quick = false;
  bool describe = false;
  const char* name = nullptr;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--list") == 0) {
      for (const Row& row : kRows) printf("%s\t%s\n", row.name, row.what);
      return 0;
    }
    if (strcmp(argv[i], "--quick") == 0) {
      quick = true;
    } else if (strcmp(argv[i], "--describe") == 0) {
      describe = true;
    } else {
      name = argv[i];
    }
  }
  if (name == nullptr || name[0] == '-') {
    fprintf(stderr, "usage: replay --list | [--quick | --describe] NAME\n");
    return 64;
  }
  const std::string_view file = MapNamed(argv[0], name);
  if (file.empty()) {
    fprintf(stderr, "replay: there is no trace %s\n", name);
    return 1;
  }
  Trace trace;
  std::string error;
  const bool good = Decode(file, &trace, &error);
  munmap(const_cast<char*>(file.data()), file.size());
  if (!good) {
    fprintf(stderr, "replay: %s: %s\n", name, error.c_str());
    return 1;
  }
  if (describe) {
    Describe(trace);
    return 0;
  }
  return Replay(trace, quick);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
