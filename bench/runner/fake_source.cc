// A source of rows that behave in every way a row can: for the runner's tests.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

struct FakeRow {
  const char* name;
  const char* what;
  int (*run)();
};

int Good() {
  std::puts(
      "chatter\nbench: seconds=0.5\nbench: operations=2\n"
      "bench: peak_kib=8192\nbench: left_kib=2048");
  return 0;
}

int Silent() { return 0; }

int Crash() {
  std::fputs("first\nthis is the end\n", stderr);
  std::abort();
}

// Only with a preloaded library: one peer's failure.
int CrashIfPreloaded() {
  return std::getenv("LD_PRELOAD") == nullptr ? Good() : Crash();
}

int Fail() { return 3; }

int Miss() {
  std::puts("bench: missing=some-server");
  return 77;
}

int Hang() {
  for (;;) pause();
}

int LeaveADaemon() {
  if (fork() == 0) {
    sleep(20);
    _exit(0);
  }
  return Good();
}

int Environment() {
  const bool right = std::getenv("MALLOC_CONF") == nullptr &&
                     std::getenv("LD_PRELOAD") == nullptr &&
                     std::getenv("LD_PRELOAD_OTHER") != nullptr;
  return right ? Good() : 1;
}

constexpr FakeRow kRows[] = {
    {"good", "works, and says all there is to say", Good},
    {"silent", "works, and says nothing", Silent},
    {"crashes", "crashes", Crash},
    {"crashes_preloaded", "crashes with any peer but glibc", CrashIfPreloaded},
    {"fails", "ends with an exit code", Fail},
    {"misses", "needs what is not there", Miss},
    {"hangs", "does not end", Hang},
    {"daemon", "leaves a process behind", LeaveADaemon},
    {"environment", "looks at its environment", Environment},
};

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[argc - 1] : "";
  for (const FakeRow& row : kRows) {
    if (name == "--list") std::printf("%s\t%s\n", row.name, row.what);
    if (name == row.name) return row.run();
  }
  return name == "--list" ? 0 : 64;
}
