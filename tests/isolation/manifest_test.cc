// What a process has besides memory is as it was after an instance has lived in
// it, and most of it while the instance lives.
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"
#include "tests/isolation/process.h"
#include "tests/isolation/workload.h"

namespace isolation {
namespace {

Functions SubjectFunctions() {
  return {subject::malloc,        subject::calloc, subject::realloc,
          subject::aligned_alloc, subject::free,   subject::malloc_usable_size,
          subject::owns,          subject::purge};
}

// Threads that end with a cache, one that detaches, and the caller.
void UseFromThreads() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      EXPECT_TRUE(RunWorkload(SubjectFunctions()));
      if (i == 0) subject::thread_detach();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(RunWorkload(SubjectFunctions()));
}

std::vector<struct sigaction> Handlers() {
  std::vector<struct sigaction> all(SIGRTMAX + 1);
  for (int s = 1; s <= SIGRTMAX; ++s) sigaction(s, nullptr, &all[s]);
  return all;
}

sigset_t SignalMask() {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return mask;
}

std::set<std::string> Files() {
  std::set<std::string> names;
  DIR* const directory = opendir("/proc/self/fd");
  while (const dirent* const entry = readdir(directory)) {
    names.insert(entry->d_name);
  }
  closedir(directory);
  return names;
}

std::vector<std::string> Variables() {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    all.emplace_back(*variable);
  }
  return all;
}

// The process before any test ran, so that the first use of the instance, in
// whichever test it is, is between this and what each test finds.
struct Process {
  subject::Stats stats = contract::GetStats();
  std::vector<struct sigaction> handlers = Handlers();
  sigset_t mask = SignalMask();
  size_t keys_left = KeysLeft();
  std::set<std::string> files = Files();
  std::vector<std::string> variables = Variables();
};
const Process* g_before;

class TakeNote : public testing::Environment {
 public:
  void SetUp() override { g_before = new Process; }
};
const testing::Environment* const kNote =
    testing::AddGlobalTestEnvironment(new TakeNote);

TEST(ManifestTest, NothingHappensAtLoad) {
  EXPECT_EQ(g_before->stats.bytes_reserved, 0u);
  EXPECT_EQ(g_before->stats.bytes_metadata, 0u);
  EXPECT_EQ(g_before->stats.threads, 0u);
}

TEST(ManifestTest, TheBreakStaysWhereItIs) {
  void* const before = sbrk(0);
  // No thread and no vector: the test's own malloc moves the break.
  EXPECT_TRUE(RunWorkload(SubjectFunctions()));
  EXPECT_EQ(sbrk(0), before);
  EXPECT_EQ(subject::shutdown(), 0);
  EXPECT_EQ(sbrk(0), before);
}

TEST(ManifestTest, NoSignalHandlers) {
  UseFromThreads();
  const auto now = Handlers();
  const sigset_t mask = SignalMask();
  for (int s = 1; s <= SIGRTMAX; ++s) {
    EXPECT_EQ(now[s].sa_handler, g_before->handlers[s].sa_handler) << s;
    EXPECT_EQ(now[s].sa_flags, g_before->handlers[s].sa_flags) << s;
    EXPECT_EQ(sigismember(&mask, s), sigismember(&g_before->mask, s)) << s;
  }
  EXPECT_EQ(subject::shutdown(), 0);
}

TEST(ManifestTest, NoThreadKeyUnlessTheKnobSaysSo) {
  UseFromThreads();
  const bool uses_key =
      contract::Config().at("thread_exit") == "\"pthread_key\"";
  EXPECT_EQ(KeysLeft(), g_before->keys_left - (uses_key ? 1 : 0));
  EXPECT_EQ(subject::shutdown(), 0);
  EXPECT_EQ(KeysLeft(), g_before->keys_left);
}

TEST(ManifestTest, NoFiles) {
  UseFromThreads();
  EXPECT_EQ(Files(), g_before->files);
  EXPECT_EQ(subject::shutdown(), 0);
  EXPECT_EQ(Files(), g_before->files);
}

TEST(ManifestTest, NoEnvironment) {
  UseFromThreads();
  EXPECT_EQ(subject::shutdown(), 0);
  EXPECT_EQ(Variables(), g_before->variables);
}

TEST(ManifestTest, NoMapping) {
  UseFromThreads();  // so that libc has the stacks and arenas that it keeps for
                     // threads
  ASSERT_EQ(subject::shutdown(), 0);
  const size_t address_space = AddressSpace();
  const size_t mappings = CountMappings(0, UINTPTR_MAX);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(RunWorkload(SubjectFunctions()));
    EXPECT_GT(AddressSpace(), address_space);
    ASSERT_EQ(subject::shutdown(), 0);
    EXPECT_EQ(AddressSpace(), address_space);
    EXPECT_EQ(CountMappings(0, UINTPTR_MAX), mappings);
  }
}

}  // namespace
}  // namespace isolation
