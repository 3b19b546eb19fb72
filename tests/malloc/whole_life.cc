// Allocates from before the first constructor to after the last destructor, and
// checks that it was the instance that served it. Without a test framework,
// which could not be linked in all the ways this is.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "tests/malloc/app_malloc_heap.h"

extern "C" void* __libc_malloc(size_t size) noexcept;

namespace {

void Check(bool good, const char* what) {
  if (good) return;
  // No printf: it may be too early, or too late.
  for (const char* text : {"FAILED: ", what, "\n"}) {
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, text, strlen(text));
  }
  _exit(1);
}

// One block of each way to get one; frees all but the last.
void* Use() {
  void* kept = nullptr;
  for (const size_t size : {1, 100, 3000, 50000, 3000000}) {
    free(kept);
    auto* const text = static_cast<char*>(malloc(size));
    Check(app_owns(text), "malloc");
    memset(text, 7, size);
    kept = realloc(text, size * 2);
    Check(app_owns(kept), "realloc");
    Check(static_cast<char*>(kept)[size - 1] == 7, "realloc's contents");
    operator delete(operator new(size));
    void* const zero = calloc(size, 1);
    Check(app_owns(zero), "calloc");
    free(zero);
    char* const copy = strdup("whole life");
    Check(app_owns(copy), "strdup");
    free(copy);
  }
  return kept;
}

// Each is allocated at one time of the process's life and freed at a later one.
void* from_preinit;
void* from_constructor;
void* from_main;

void FreeAtExit() {
  Check(app_owns(from_main), "main's block at exit");
  free(from_main);
  free(Use());
}

struct Static {
  Static() {
    free(from_preinit);
    text = std::make_unique<std::string>(1000, 's');
  }
  ~Static() {
    Check(app_owns(text.get()), "a static object's block");
    text.reset();
    free(Use());
  }
  std::unique_ptr<std::string> text;
} static_object;

struct PerThread {
  std::unique_ptr<std::string> text;
  ~PerThread() {
    text.reset();
    free(Use());
  }
};
thread_local PerThread per_thread;

__attribute__((constructor(101))) void First() { from_constructor = Use(); }

__attribute__((destructor(101))) void Last() {
  free(Use());
  Check(write(STDOUT_FILENO, "good\n", 5) == 5, "write");
}

void Preinit(int, char**, char**) { from_preinit = Use(); }
__attribute__((section(".preinit_array"),
               used)) void (*preinit)(int, char**, char**) = Preinit;

void Threads() {
  constexpr int kRounds = 50;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::thread> threads;
    std::vector<void*> blocks(4);
    for (void*& block : blocks) {
      threads.emplace_back([&block] {
        per_thread.text = std::make_unique<std::string>(500, 't');
        block = Use();
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (void* block : blocks) free(block);
  }
  app_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  Check(app_stats(&stats) == 0, "stats");
  // 200 threads have come and gone, never more than 4 of them at once.
  Check(stats.threads <= 16, "threads' heaps are used again");
}

void Fork() {
  void* const before = Use();
  const pid_t child = fork();
  if (child == 0) {
    free(before);
    free(Use());
    Threads();
    _exit(0);
  }
  int status = -1;
  Check(waitpid(child, &status, 0) == child && status == 0, "the child");
  free(before);
}

// What only glibc has: a static program that calls one of them must not get
// glibc's malloc along with it.
void Beyond() {
  void* const block = __libc_malloc(100000);
  Check(app_owns(block), "__libc_malloc");
  Check(mallinfo2().uordblks >= 100000, "mallinfo2");
  free(block);
  malloc_trim(0);
  Check(mallinfo2().keepcost == 0, "malloc_trim");
  Check(mallopt(M_ARENA_MAX, 1) == 1, "mallopt");
  void* const aligned = pvalloc(1);
  Check(app_owns(aligned), "pvalloc");
  free(aligned);
  FILE* const file = fopen("/dev/null", "w");
  Check(malloc_info(0, file) == 0, "malloc_info");
  fclose(file);
}

}  // namespace

int main() {
  free(from_constructor);
  from_main = Use();
  atexit(FreeAtExit);
  per_thread.text = std::make_unique<std::string>(500, 'm');
  Threads();
  Fork();
  Beyond();
  try {
    volatile size_t too_much = PTRDIFF_MAX;
    operator delete(operator new(too_much));
    Check(false, "no bad_alloc");
  } catch (const std::bad_alloc&) {
  }
  return 0;
}
