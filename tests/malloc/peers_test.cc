// What the tests of other mallocs check and ours did not; README.md has the
// whole table.
#include <execinfo.h>
#include <malloc.h>
#include <obstack.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/malloc/app_malloc_heap.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

namespace {

// ---- glibc: malloc/tst-malloc_info, tst-mallinfo2 ---------------------------

TEST(Peers, FiguresWhileOthersAllocate) {
  const size_t live = mallinfo2().uordblks;
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&stop, t] {
      std::vector<void*> blocks(500);
      for (size_t i = 0; !stop; ++i) {
        void*& block = blocks[i * 7919 % blocks.size()];
        free(block);
        block = malloc(i * 31 % (t == 0 ? 300000 : 3000));
      }
      for (void* block : blocks) free(block);
    });
  }
  FILE* const file = fopen("/dev/null", "w");
  for (int i = 0; i < 300; ++i) {
    const struct mallinfo2 info = mallinfo2();
    ASSERT_EQ(info.arena, info.uordblks + info.fordblks);
    ASSERT_LE(info.fsmblks, info.fordblks);
    ASSERT_LE(info.keepcost, info.fordblks);
    ASSERT_LT(info.arena, size_t{1} << 30);
    ASSERT_LT(info.fordblks, size_t{1} << 30);
    ASSERT_EQ(malloc_info(0, file), 0);
    malloc_trim(0);
  }
  fclose(file);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  threads.clear();
  // Exact again, but for what libc keeps of ended threads, and the vector.
  EXPECT_LE(mallinfo2().uordblks, live + 10000);
}

// ---- glibc: malloc/tst-mallocfork2 ------------------------------------------

std::atomic<int> forks = 0;
std::atomic<int> bad_children = 0;

void Fork(int) {
  const int saved = errno;
  const pid_t child = fork();
  if (child == 0) _exit(3);
  int status = 0;
  if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 3) {
    ++bad_children;
  }
  ++forks;
  errno = saved;
}

// fork is async-signal-safe, so a handler may call it where it has interrupted
// malloc.
TEST(Peers, ForkInAHandlerThatInterruptedMalloc) {
  struct sigaction action = {}, former = {};
  action.sa_handler = Fork;
  ASSERT_EQ(sigaction(SIGALRM, &action, &former), 0);
  const itimerval ticks = {{0, 5000}, {0, 5000}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &ticks, nullptr), 0);
  std::vector<void*> blocks(1000);
  for (size_t i = 0; forks < 30; ++i) {
    void*& block = blocks[i * 7919 % blocks.size()];
    free(block);
    block = malloc(i * 31 % 70000);
    ASSERT_NE(block, nullptr);
    memset(block, 1, i * 31 % 70000);
  }
  const itimerval none = {};
  setitimer(ITIMER_REAL, &none, nullptr);
  sigaction(SIGALRM, &former, nullptr);
  for (void* block : blocks) free(block);
  EXPECT_EQ(bad_children, 0);
}

// ---- glibc: malloc/tst-malloc-backtrace -------------------------------------

void TellWhere(int) {
  // backtrace loads libgcc when it is called first, and that allocates.
  void* frames[20];
  const int count = backtrace(frames, 20);
  free(malloc(100));
  free(malloc(1000000));
  _exit(count > 1 ? 7 : 8);
}

TEST(Peers, AHandlerOfTheAbortMayAllocate) {
  const auto free_wrongly = [] {
    signal(SIGABRT, TellWhere);
    int on_the_stack = 0;
    void* volatile block = &on_the_stack;
    free(block);
  };
  EXPECT_EXIT(free_wrongly(), testing::ExitedWithCode(7),
              "alcove.app_.: free of memory that is not this instance");
}

// ---- glibc: malloc/tst-obstack ----------------------------------------------

TEST(Peers, Obstacks) {
  const size_t live = mallinfo2().uordblks;
  obstack stack;
  obstack_init(&stack);
  for (int size = 1; size < 100000; size = size * 3 + 1) {
    void* const object = obstack_alloc(&stack, size);
    EXPECT_TRUE(app_owns(object));
    memset(object, 1, static_cast<size_t>(size));
  }
  EXPECT_GT(mallinfo2().uordblks, live + 100000);
  obstack_free(&stack, nullptr);
  EXPECT_EQ(mallinfo2().uordblks, live);
}

// ---- mimalloc: test-api "realpath" ------------------------------------------

TEST(Peers, WhatLibcAllocatesForItsCallerIsOurs) {
  char* printed = nullptr;
  ASSERT_GT(asprintf(&printed, "%0300d", 7), 0);
  char* stream = nullptr;
  size_t size = 0;
  FILE* const file = open_memstream(&stream, &size);
  fputs("text", file);
  fclose(file);
  for (char* text : {realpath(".", nullptr), getcwd(nullptr, 0),
                     strndup("text", 2), printed, stream}) {
    EXPECT_TRUE(app_owns(text));
    free(text);
  }
}

// ---- mimalloc: main-override, its issues ------------------------------------

// Two halves of a product: as mimalloc's tests of calloc and reallocarray.
TEST(Peers, NoBytesIsNoError) {
  errno = 0;
  for (void* block : {reallocarray(nullptr, 0, 16), calloc(0, 1000),
                      realloc(nullptr, 0), malloc(0)}) {
    EXPECT_NE(block, nullptr);
    EXPECT_LE(malloc_usable_size(block), 16u);
    free(block);
  }
  EXPECT_EQ(errno, 0);
}

// ---- jemalloc: integration/tcache_fiber_migration ---------------------------

ucontext_t in_thread, in_fiber;
int fiber_state = 0;
void* from_first_thread = nullptr;

void Fiber() {
  from_first_thread = malloc(100);
  fiber_state = 1;
  swapcontext(&in_fiber, &in_thread);
  // On another thread by now, whose cache is another one.
  void* const block = malloc(100);
  free(from_first_thread);
  free(block);
  fiber_state = app_owns(block) ? 2 : 3;
  swapcontext(&in_fiber, &in_thread);
}

TEST(Peers, FibersMoveFromThreadToThread) {
  const size_t live = mallinfo2().uordblks;
  std::vector<char> stack(256 << 10);
  getcontext(&in_fiber);
  in_fiber.uc_stack.ss_sp = stack.data();
  in_fiber.uc_stack.ss_size = stack.size();
  in_fiber.uc_link = nullptr;
  makecontext(&in_fiber, Fiber, 0);
  std::thread([] { swapcontext(&in_thread, &in_fiber); }).join();
  ASSERT_EQ(fiber_state, 1);
  EXPECT_TRUE(app_owns(from_first_thread));
  std::thread([] { swapcontext(&in_thread, &in_fiber); }).join();
  EXPECT_EQ(fiber_state, 2);
  EXPECT_LE(mallinfo2().uordblks, live + stack.capacity() + 10000);
}

// ---- jemalloc: integration/aligned_alloc ------------------------------------

TEST(Peers, AlignmentsOfAnySizeOfBlock) {
  for (size_t alignment = 8; alignment <= size_t{8} << 20; alignment *= 2) {
    errno = 0;
    EXPECT_EQ(aligned_alloc(alignment + 1, 1), nullptr);
    EXPECT_EQ(errno, EINVAL);
    for (const size_t size :
         {size_t{1}, alignment - 1, alignment + 1, 2 * alignment + 3}) {
      void* const block = aligned_alloc(alignment, size);
      ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u);
      EXPECT_GE(malloc_usable_size(block), size);
      free(block);
    }
  }
}

}  // namespace
