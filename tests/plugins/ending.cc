// Loads a plugin, has threads work in it, and ends in the way that is asked for
// while they still do: ending <plugin> <return|exit|quick_exit|thread|closed|namespace>.
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "tests/plugins/plugin.h"

namespace {

void* handle;
std::atomic<bool> may_work{true};

std::atomic<bool> may_end{false};

// In a namespace of its own nobody tells a plugin that the process ends; and the
// loader finishes the program before it.
bool ends_slowly = false;
__attribute__((destructor)) void EndSlowly() {
  if (ends_slowly) usleep(20000);
}

// Runs after main, before the loader finishes any shared object: as a host's
// manager of plugins does. Then threads end that used the plugin.
struct ClosedAtTheEnd {
  bool close = false;
  ~ClosedAtTheEnd() {
    if (!close) return;
    if (dlclose(handle) != 0) _exit(7);
    may_end = true;
    usleep(10000);
  }
} closed_at_the_end;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  ends_slowly = std::strcmp(argv[2], "namespace") == 0;
  handle = ends_slowly ? dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW)
                       : dlopen(argv[1], RTLD_NOW);
  if (handle == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  const auto plugin = reinterpret_cast<decltype(&AlcoveTestPlugin)>(
      dlsym(handle, "AlcoveTestPlugin"))();
  const auto is = [argv](const char* way) {
    return std::strcmp(argv[2], way) == 0;
  };
  std::atomic<int> working{0};
  for (int i = 0; i < 3; ++i) {
    std::thread([&working, plugin] {
      for (int rounds = 0; may_work; ++rounds) {
        if (!plugin.work() || !plugin.work_inlined()) _exit(3);
        if (rounds == 10) ++working;
      }
      working = -100;
      while (!may_end) usleep(100);
    }).detach();
  }
  while (working != 3) usleep(100);
  if (!plugin.work()) return 4;
  if (is("closed")) {
    // Nobody may be in it any more.
    may_work = false;
    while (working >= 0) usleep(100);
    usleep(10000);
    closed_at_the_end.close = true;
    return 0;
  }
  if (is("exit")) std::exit(0);
  if (is("quick_exit")) std::quick_exit(0);
  if (is("thread")) {
    std::thread([] { std::exit(0); }).join();
  }
  return is("return") || is("namespace") ? 0 : 5;
}
