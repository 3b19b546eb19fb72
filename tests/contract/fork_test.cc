// A child of fork goes on with the heap of the thread that forked, whose id is
// another one there, even after the parent and with it that id are gone.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {
namespace {

using ForkTest = ContractTest;

// Fills blocks of its own and sees whether they stay as they are.
bool KeepsItsBlocks(unsigned char byte) {
  bool kept = true;
  for (int round = 0; round < 200; ++round) {
    std::vector<unsigned char*> blocks(200);
    for (unsigned char*& block : blocks) {
      block = static_cast<unsigned char*>(subject::malloc(48));
      memset(block, byte, 48);
    }
    for (unsigned char* const block : blocks) {
      for (int i = 0; i < 48; ++i) kept = kept && block[i] == byte;
      subject::free(block);
    }
  }
  return kept;
}

// What the grandchild saw: 'k' for all well.
char Orphan(pid_t parent) {
  while (getppid() == parent) usleep(1000);
  usleep(10000);  // the parent's thread has left the kernel, too
  void* const held = subject::malloc(32);
  std::atomic<bool> counted{false};
  bool other_kept = false;
  std::thread other([&] {
    other_kept = KeepsItsBlocks(2);
    while (!counted) std::this_thread::yield();
  });
  const bool kept = KeepsItsBlocks(1);
  size_t heaps = 0;
  // The other thread may take a while to come to its first block.
  for (int i = 0; i < 5000 && heaps < 2; ++i) {
    heaps = GetStats().threads;
    usleep(1000);
  }
  counted = true;
  other.join();
  if (!kept || !other_kept) return 'o';  // blocks overlap
  if (heaps < 2) return 's';             // one heap for two threads
  subject::free(held);
  return subject::shutdown() == 0 ? 'k' : 'b';
}

TEST_F(ForkTest, AnOrphanSharesItsHeapWithNobody) {
#if defined(__SANITIZE_THREAD__)
  if (IsOn("background_purge"))
    GTEST_SKIP() << "the sanitizer allows no thread in a child of several";
#endif
  subject::free(subject::malloc(64));
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // A heap of its own, or the id would be that of the test, which lives on.
    if (subject::shutdown() != 0) _exit(2);
    subject::free(subject::malloc(64));
    const pid_t parent = getpid();
    if (fork() == 0) {
      const char answer = Orphan(parent);
      _exit(write(ends[1], &answer, 1) == 1 ? 0 : 1);
    }
    _exit(0);
  }
  close(ends[1]);
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  char answer = 'd';  // it died
  EXPECT_LE(read(ends[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'k');
  close(ends[0]);
}

// What the second of two processes saw that both have the id 1 where they are.
char WithAnAncestorsId() {
  char answer = 0;
  std::thread([&answer] {
    // Its id is 2, and the first thread that the child starts gets that, too.
    void* const held = subject::malloc(32);
    if (unshare(CLONE_NEWPID) != 0) {
      answer = 'n';
      return;
    }
    const pid_t child = fork();
    if (child == 0) {
      bool kept[4] = {};
      std::atomic<unsigned> done{0};
      std::vector<std::thread> others;
      for (bool& other_kept : kept) {
        others.emplace_back([&other_kept, &done] {
          other_kept = KeepsItsBlocks(2);
          ++done;
          while (done != 4) std::this_thread::yield();
        });
      }
      bool all = getpid() == 1;
      while (done != 4) all = KeepsItsBlocks(1) && all;
      for (std::thread& other : others) other.join();
      for (const bool other_kept : kept) all = all && other_kept;
      subject::free(held);
      _exit(!all ? 'o' : subject::shutdown() != 0 ? 'b' : 'k');
    }
    int status = 0;
    waitpid(child, &status, 0);
    answer = WIFEXITED(status) ? static_cast<char>(WEXITSTATUS(status)) : 'd';
    subject::free(held);
    subject::thread_detach();
  }).join();
  return answer;
}

TEST_F(ForkTest, AnAncestorsIdIsNoAncestor) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer allows no thread in a child of several";
#endif
  const pid_t outer = fork();
  ASSERT_GE(outer, 0);
  if (outer == 0) {
    if (unshare(CLONE_NEWPID) != 0 &&
        unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
      _exit('n');
    const pid_t first = fork();
    if (first == 0) {
      if (subject::shutdown() != 0) _exit('b');
      _exit(getpid() == 1 ? WithAnAncestorsId() : 'p');
    }
    int status = 0;
    waitpid(first, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 'd');
  }
  int status = 0;
  ASSERT_EQ(waitpid(outer, &status, 0), outer);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 'n')
    GTEST_SKIP() << "this system gives a process no pid namespace";
  EXPECT_EQ(static_cast<char>(WEXITSTATUS(status)), 'k');
}

}  // namespace
}  // namespace contract
