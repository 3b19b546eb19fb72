// The thread that purges in the background, by either value of the knob.
#include "core/api/background.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "tests/core/testing.h"

namespace {

using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*),
                       void*);

// What libc's pthread_create, which stands behind the one below, is to do for
// threads of the size that the instance's own has.
enum class Mood { kWilling, kNoSmallStacks, kUnwilling, kAllocates };
std::atomic<Mood> g_mood{Mood::kWilling};
std::atomic<int> g_asked{0};
std::atomic<uint32_t> g_identity{0};  // what the thread calls itself; 0: its id

bool IsOfTheInstance(const pthread_attr_t* attributes) {
  size_t size = 0;
  return attributes != nullptr &&
         pthread_attr_getstacksize(attributes, &size) == 0 && size == 64 * 1024;
}

struct Begin {
  void* (*start)(void*);
  void* argument;
};

void* RunAs(void* context) {
  const Begin begin = *static_cast<Begin*>(context);
  delete static_cast<Begin*>(context);
  const ALCOVE_CORE_NAMESPACE::platform::fake::ScopedIdentity identity(
      g_identity.load());
  return begin.start(begin.argument);
}

}  // namespace

// Stands before libc's in this program.
extern "C" int pthread_create(pthread_t* thread,
                              const pthread_attr_t* attributes,
                              void* (*start)(void*), void* argument) noexcept {
  static const auto real =
      reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  static thread_local bool refused = false;
  const bool small = IsOfTheInstance(attributes);
  const Mood mood = g_mood;
  if (!small && !(refused && attributes == nullptr))
    return real(thread, attributes, start, argument);
  // The thread of the instance, by the first or the second try.
  g_asked += small;
  refused = small && mood != Mood::kWilling && mood != Mood::kAllocates;
  if (refused || mood == Mood::kUnwilling) {
    errno = ENOMEM;
    return EAGAIN;
  }
  if (mood == Mood::kAllocates) {
    for (int i = 0; i < 3; ++i) {
      test_free(test_calloc(1, 1000));
      test_free(test_malloc(100000));
    }
  }
  if (g_identity == 0) return real(thread, attributes, start, argument);
  return real(thread, attributes, RunAs, new Begin{start, argument});
}

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr bool kOn = Config::kBackgroundPurge;

// The ids of the threads of this process.
std::vector<pid_t> Tasks() {
  std::vector<pid_t> tasks;
  DIR* const directory = opendir("/proc/self/task");
  while (const dirent* const entry = readdir(directory)) {
    if (entry->d_name[0] != '.') tasks.push_back(atoi(entry->d_name));
  }
  closedir(directory);
  return tasks;
}

// A line of /proc/self/task/<task>/status as a number.
uint64_t StatusOf(pid_t task, const char* key, int base) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/self/task/%d/status", task);
  FILE* const file = fopen(path, "r");
  uint64_t value = 0;
  char line[256];
  while (file != nullptr && fgets(line, sizeof(line), file) != nullptr) {
    if (strncmp(line, key, strlen(key)) == 0)
      value = strtoull(line + strlen(key) + 1, nullptr, base);
  }
  if (file != nullptr) fclose(file);
  return value;
}

// Waits for what has to come, however slow the machine.
template <typename Condition>
bool Comes(Condition condition) {
  for (int i = 0; i < 10000; ++i) {
    if (condition()) return true;
    usleep(1000);
  }
  return false;
}

constexpr size_t kBlock = 100000;

// Leaves free units that hold memory, less than MaybePurge would purge.
std::vector<void*> MakeDirt() {
  std::vector<void*> blocks;
  for (int i = 0; i < 6; ++i) {
    blocks.push_back(test_malloc(kBlock));
    memset(blocks.back(), 1, kBlock);
  }
  for (void* const block : blocks) test_free(block);
  return blocks;
}

size_t ResidentPages(void* block) {
  const uintptr_t begin = RoundDown(AddressOf(block), 4096);
  unsigned char resident[kBlock / 4096 + 2];
  const size_t pages = (AddressOf(block) + kBlock - begin) / 4096;
  if (mincore(reinterpret_cast<void*>(begin), pages * 4096, resident) != 0)
    return 0;
  return static_cast<size_t>(std::count_if(resident, resident + pages,
                                           [](int r) { return (r & 1) != 0; }));
}

class BackgroundTest : public InstanceTest {
 protected:
  // A thread sanitizer adds a thread of its own to a program's first one.
  static void SetUpTestSuite() {
    pid_t task = 0;
    std::thread([&task] { task = gettid(); }).join();
    ASSERT_TRUE(Comes([task] {
      const std::vector<pid_t> tasks = Tasks();
      return std::find(tasks.begin(), tasks.end(), task) == tasks.end();
    }));
  }
  BackgroundTest() : tasks_(Tasks()) { g_asked = 0; }
  ~BackgroundTest() override {
    g_mood = Mood::kWilling;
    g_identity = 0;
    EXPECT_EQ(test_shutdown(), 0);
    EXPECT_TRUE(TasksComeTo(0));
  }
  // Whether there are so many more threads than at the start. One that was
  // joined is in the list for a moment.
  bool TasksComeTo(size_t more) const {
    return Comes([&] { return Tasks().size() == tasks_.size() + more; });
  }
  // The thread of the instance, where only it is new.
  pid_t Task() const {
    for (const pid_t task : Tasks()) {
      if (std::find(tasks_.begin(), tasks_.end(), task) == tasks_.end())
        return task;
    }
    return 0;
  }
  // So that first threads race for the instance's thread alone. Who loses the
  // race for the first range unmaps its own, and a thread sanitizer does not
  // see that the next mapping at the address is another one.
  static void HaveARange() { g_instance.region.Allocate(1, kUnit); }

  // Whether the thread comes to rest: it does not even look at the time.
  static bool Rests() {
    for (int i = 0; i < 30; ++i) {
      const fake::CallCounter waits(Primitive::kWait);
      usleep(300000);
      if (waits.calls() == 0) return true;
    }
    return false;
  }

  std::vector<pid_t> tasks_;
};
using BackgroundDeathTest = BackgroundTest;

TEST_F(BackgroundTest, LibcsTypesAndNumbers) {
  EXPECT_GE(sizeof(background::ThreadAttributes), sizeof(pthread_attr_t));
  EXPECT_GE(alignof(background::ThreadAttributes), alignof(pthread_attr_t));
  EXPECT_EQ(sizeof(background::SignalSet), sizeof(sigset_t));
  EXPECT_EQ(sizeof(background::ThreadHandle), sizeof(pthread_t));
  EXPECT_EQ(background::kSetSignalMask, SIG_SETMASK);
}

TEST_F(BackgroundTest, ThereIsOneIfTheKnobSaysSo) {
  test_free(nullptr);
  test_purge();
  EXPECT_TRUE(TasksComeTo(0));
  void* const block = test_malloc(1);
  EXPECT_TRUE(TasksComeTo(kOn ? 1 : 0));
  test_free(block);
  RunThreads(4, [](unsigned) { test_free(test_malloc(100)); });
  EXPECT_TRUE(TasksComeTo(kOn ? 1 : 0)) << "one for all";
  EXPECT_EQ(g_asked, kOn ? 1 : 0);
  EXPECT_EQ(test_shutdown(), 0);
  EXPECT_TRUE(TasksComeTo(0));
}

TEST_F(BackgroundTest, SilenceLeavesNothing) {
  if (!kOn) GTEST_SKIP();
  for (int i = 0; i < 3; ++i) {
    const std::vector<void*> blocks = MakeDirt();
    EXPECT_TRUE(Comes([] { return Stats().bytes_dirty == 0; }));
    EXPECT_TRUE(Comes([&] {
      size_t pages = 0;
      for (void* const block : blocks) pages += ResidentPages(block);
      return pages == 0;
    }));
  }
}

// What a thread leaves that ends, with nobody to call afterwards.
TEST_F(BackgroundTest, SilenceAfterDetaching) {
  if (!kOn) GTEST_SKIP();
  std::vector<void*> blocks;
  for (int i = 0; i < 3000; ++i) {
    blocks.push_back(test_malloc(100));
    memset(blocks.back(), 1, 100);
  }
  for (void* const block : blocks) test_free(block);
  test_thread_detach();
  EXPECT_TRUE(Comes([] { return Stats().bytes_dirty == 0; }));
}

TEST_F(BackgroundTest, WithoutItDirtStays) {
  if (kOn) GTEST_SKIP();
  const fake::ScopedForbid wait(Primitive::kWait);
  const fake::ScopedForbid wake(Primitive::kWake);
  void* const block = test_malloc(200 * kUnit);
  test_free(block);
}

TEST_F(BackgroundTest, RestsWhileNothingIsDirty) {
  if (!kOn) GTEST_SKIP();
  for (int i = 0; i < 2; ++i) {
    void* const block = test_malloc(1);
    EXPECT_TRUE(Rests());
    // By the kernel's own count, too.
    const pid_t task = Task();
    const uint64_t before = StatusOf(task, "voluntary_ctxt_switches:", 10);
    EXPECT_GT(before, 0u);
    usleep(200000);
    EXPECT_EQ(StatusOf(task, "voluntary_ctxt_switches:", 10), before);
    MakeDirt();
    test_free(block);
  }
}

// A purge that fails is not tried again and again by itself.
TEST_F(BackgroundTest, RestsWherePurgesFail) {
  if (!kOn) GTEST_SKIP();
  {
    const ScopedFailures failures(Primitive::kPurge, Failures::Always());
    MakeDirt();
    EXPECT_TRUE(Rests());
    EXPECT_GT(failures.failed(), 0u);
    EXPECT_GT(Stats().bytes_dirty, 0u);
  }
  MakeDirt();
  EXPECT_TRUE(Comes([] { return Stats().bytes_dirty == 0; }));
}

TEST_F(BackgroundTest, HasNoHeap) {
  if (!kOn) GTEST_SKIP();
  test_malloc(1);
  MakeDirt();
  EXPECT_TRUE(Rests());
  EXPECT_EQ(Stats().threads, 1u);
  EXPECT_EQ(g_instance.registry.first()->next_heap, nullptr);
  EXPECT_FALSE(g_instance.registry.OthersLive(tls_heap));
  test_thread_detach();
  EXPECT_EQ(Stats().threads, 0u);
  EXPECT_FALSE(g_instance.registry.OthersLive(nullptr));
}

TEST_F(BackgroundTest, ShutdownRefusesAsEver) {
  if (!kOn) GTEST_SKIP();
  std::atomic<int> step{0};
  std::thread other([&] {
    test_free(test_malloc(1));
    step = 1;
    while (step == 1) usleep(100);
    test_thread_detach();
    step = 3;
  });
  while (step != 1) usleep(100);
  EXPECT_EQ(test_shutdown(), EBUSY);
  EXPECT_TRUE(TasksComeTo(2)) << "a refusal changes nothing";
  step = 2;
  while (step != 3) usleep(100);
  EXPECT_EQ(test_shutdown(), 0);
  other.join();
}

TEST_F(BackgroundTest, ManyLives) {
  for (int i = 0; i < 100; ++i) {
    MakeDirt();
    ASSERT_EQ(test_shutdown(), 0);
  }
  EXPECT_EQ(g_asked, kOn ? 100 : 0);
  EXPECT_TRUE(TasksComeTo(0));
  MakeDirt();
  EXPECT_TRUE(TasksComeTo(kOn ? 1 : 0));
}

TEST_F(BackgroundTest, ShutdownByAnotherThread) {
  for (int i = 0; i < 50; ++i) {
    std::thread([] {
      MakeDirt();
      test_thread_detach();
    }).join();
    ASSERT_EQ(test_shutdown(), 0);
  }
}

TEST_F(BackgroundTest, ManyFirstThreads) {
  for (int i = 0; i < 50; ++i) {
    g_asked = 0;
    HaveARange();
    RunThreads(4, [](unsigned) { MakeDirt(); });
    ASSERT_EQ(g_asked, kOn ? 1 : 0);
    ASSERT_EQ(test_shutdown(), 0);
  }
}

// ---- Signals ----

TEST_F(BackgroundTest, TheProgramsHandlersDoNotRunOnIt) {
  if (!kOn) GTEST_SKIP();
  sigset_t before;
  sigset_t own;
  sigemptyset(&own);
  sigaddset(&own, SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &own, &before);
  test_malloc(1);
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, &before, &after);
  ASSERT_TRUE(Rests());  // libc blocks all while it makes a thread
  const uint64_t blocked = StatusOf(Task(), "SigBlk:", 16);
  for (int s = 1; s <= SIGRTMAX; ++s) {
    EXPECT_EQ(sigismember(&after, s), s == SIGUSR2) << "the caller's, " << s;
    if (s == SIGKILL || s == SIGSTOP) continue;
    // Those that libc does not name are its own: setuid waits for one.
    EXPECT_EQ((blocked >> (s - 1)) & 1, s <= 31 || s >= SIGRTMIN ? 1u : 0u)
        << s;
  }
}

// ---- Where libc refuses, or calls back ----

TEST_F(BackgroundTest, GoesOnWithoutAndTriesAgain) {
  if (!kOn) GTEST_SKIP();
  g_mood = Mood::kUnwilling;
  errno = 77;
  for (int i = 0; i < 20; ++i) MakeDirt();
  EXPECT_EQ(errno, 77);
  EXPECT_EQ(g_asked, 1) << "not time and again";
  EXPECT_TRUE(TasksComeTo(0));
  EXPECT_GT(Stats().bytes_dirty, 0u);
  g_mood = Mood::kWilling;
  fake::WaitForTicks(1001 * platform::kTicksPerMillisecondMin);
  MakeDirt();
  EXPECT_EQ(g_asked, 2);
  EXPECT_TRUE(TasksComeTo(1));
  EXPECT_TRUE(Comes([] { return Stats().bytes_dirty == 0; }));
}

TEST_F(BackgroundTest, ShutdownWhereThereIsNone) {
  g_mood = Mood::kUnwilling;
  MakeDirt();
  EXPECT_EQ(test_shutdown(), 0);
  g_mood = Mood::kWilling;
  MakeDirt();
  EXPECT_TRUE(TasksComeTo(kOn ? 1 : 0)) << "a new life, a new try";
}

// As where thread-local variables leave no room on a small stack.
TEST_F(BackgroundTest, TakesALargerStackWhereItHasTo) {
  if (!kOn) GTEST_SKIP();
  g_mood = Mood::kNoSmallStacks;
  errno = 77;
  MakeDirt();
  EXPECT_EQ(errno, 77);
  EXPECT_TRUE(TasksComeTo(1));
  EXPECT_TRUE(Comes([] { return Stats().bytes_dirty == 0; }));
}

TEST_F(BackgroundTest, LibcMayAllocateFromThisInstance) {
  if (!kOn) GTEST_SKIP();
  g_mood = Mood::kAllocates;
  MakeDirt();
  EXPECT_EQ(Stats().threads, 1u) << "it had its heap before";
  ASSERT_EQ(test_shutdown(), 0);
  g_asked = 0;
  for (int i = 0; i < 10; ++i) {
    HaveARange();
    RunThreads(3, [](unsigned) { MakeDirt(); });
    ASSERT_EQ(g_asked, i + 1);
    ASSERT_EQ(test_shutdown(), 0);
  }
}

// The kernel gives the thread the id of one that had a heap. As long as it
// lives, nobody else could tell that the other is gone.
TEST_F(BackgroundTest, BearsADeadThreadsId) {
  if (!kOn) GTEST_SKIP();
  constexpr platform::ThreadId kId = 1u << 29;
  g_mood = Mood::kUnwilling;
  std::thread([] {
    const fake::ScopedIdentity identity(kId);
    test_free(test_malloc(1000));
    fake::Farewell();
  }).join();
  const fake::ScopedLife alive(kId, true);
  g_mood = Mood::kWilling;
  g_identity = kId;
  fake::WaitForTicks(1001 * platform::kTicksPerMillisecondMin);
  MakeDirt();
  ASSERT_TRUE(TasksComeTo(1));
  EXPECT_TRUE(Rests());
  EXPECT_EQ(Stats().threads, 1u);
  EXPECT_EQ(test_shutdown(), 0);
}

// ---- fork ----

// 'k' for all well.
char InChild(bool dirty_at_once) {
  if (Tasks().size() != 1) return 't';
  if (dirty_at_once) {
    MakeDirt();
    if (!Comes([] { return Tasks().size() == 2; })) return 'n';
    if (!Comes([] { return Stats().bytes_dirty == 0; })) return 'd';
  }
  if (test_shutdown() != 0) return 'b';
  if (!Comes([] { return Tasks().size() == 1; })) return 'j';
  MakeDirt();
  if (!Comes([] { return Tasks().size() == 2; })) return 'r';
  return test_shutdown() == 0 ? 'k' : 's';
}

TEST_F(BackgroundTest, AChildOfForkHasItsOwn) {
  if (!kOn) GTEST_SKIP();
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer allows no thread in a child of several";
#endif
  for (const bool parent_dirty : {false, true}) {
    for (const bool dirty_at_once : {false, true}) {
      test_free(test_malloc(100));
      if (parent_dirty) {
        MakeDirt();
      } else {
        EXPECT_TRUE(Rests());
      }
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) _exit(InChild(dirty_at_once));
      int status;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      ASSERT_TRUE(WIFEXITED(status)) << status;
      EXPECT_EQ(WEXITSTATUS(status), 'k');
      // The parent's is where it was.
      MakeDirt();
      EXPECT_TRUE(Comes([] { return Stats().bytes_dirty == 0; }));
      EXPECT_TRUE(TasksComeTo(1));
    }
  }
}

// Holds the thread in the middle of a purge until it is told to go on.
struct Held {
  pid_t process = getpid();
  std::atomic<bool> there{false};
  std::atomic<bool> go_on{false};
};

// The child inherits what the parent's thread has out of reach.
TEST_F(BackgroundTest, AChildOfForkInTheMiddleOfAPurge) {
  if (!kOn) GTEST_SKIP();
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer allows no thread in a child of several";
#endif
  Held held;
  const fake::ScopedHook hook(
      Primitive::kPurge,
      [](void* context) {
        auto* const held = static_cast<Held*>(context);
        if (getpid() != held->process) return;
        held->there = true;
        while (!held->go_on) usleep(100);
      },
      &held);
  MakeDirt();
  ASSERT_TRUE(Comes([&] { return held.there.load(); }));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    test_free(test_malloc(kBlock));
    const bool put_back = Comes([] {
      return Stats().bytes_dirty == 0 && Stats().bytes_spans <= kUnit;
    });
    _exit(put_back ? 0 : 1);
  }
  int status;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  held.go_on = true;
  EXPECT_TRUE(Comes([] { return Stats().bytes_dirty == 0; }));
}

// ---- The end of the process ----

TEST_F(BackgroundDeathTest, IsNoReasonForAProcessToStay) {
  EXPECT_EXIT(
      {
        MakeDirt();
        exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
