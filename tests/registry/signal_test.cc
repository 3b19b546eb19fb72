// The registry in signal handlers: of a crash, and of whatever holds a lock.
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/registry/a_heap.h"
#include "tests/registry/opened.h"

namespace registry_tests {
namespace {

// What the handler is to look up (null: the address of the fault), and what it
// found.
const void* g_address;
sigjmp_buf g_back;
int g_result;
long g_listed;
alcove_instance_entry g_owner;
alcove_instance_entry g_entries[8];
char* g_top;  // of the handler's stack

void LookUp(int signal, siginfo_t* info, void*) {
  char here;
  g_top = &here;
  g_result = alcove_registry_owner_of(
      g_address != nullptr ? g_address : info->si_addr, &g_owner);
  g_listed = alcove_registry_list(g_entries, 8);
  if (g_listed >= 0) {
    size_t index;
    alcove_registry_owner_among(g_entries, static_cast<size_t>(g_listed),
                                g_address, &index);
  }
  if (signal == SIGSEGV) siglongjmp(g_back, 1);
}

// A handler while the object lives.
class Handler {
 public:
  explicit Handler(int signal, int flags = 0) : signal_(signal) {
    struct sigaction action = {};
    action.sa_sigaction = LookUp;
    action.sa_flags = SA_SIGINFO | flags;
    sigaction(signal, &action, &before_);
  }
  ~Handler() { sigaction(signal_, &before_, nullptr); }

 private:
  int signal_;
  struct sigaction before_;
};

class SignalTest : public testing::Test {
 protected:
  SignalTest() : block(a_malloc(100)) {
    g_address = block;
    g_result = -1;
    g_listed = -1;
    std::memset(&g_owner, 0, sizeof(g_owner));
  }
  ~SignalTest() override {
    a_free(block);
    EXPECT_EQ(a_shutdown(), 0);
  }
  static void ExpectFound(long listed) {
    EXPECT_EQ(g_result, 1);
    EXPECT_STREQ(g_owner.prefix, "a_");
    EXPECT_EQ(g_listed, listed);
  }
  void* block;
};

// The stack's bytes that were written to are counted from what they were.
constexpr size_t kStack = 64 * 1024;
constexpr char kUntouched = '\x5c';

TEST_F(SignalTest, ACrashInAnInstancesMemory) {
  std::vector<char> stack(kStack, kUntouched);
  const stack_t alternative = {stack.data(), 0, kStack};
  stack_t before;
  ASSERT_EQ(sigaltstack(&alternative, &before), 0);
  a_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  ASSERT_EQ(a_stats(&stats), 0);
  {
    const Handler handler(SIGSEGV, SA_ONSTACK);
    g_address = nullptr;
    if (sigsetjmp(g_back, 1) == 0) {
      // The last unit of the first range, which nobody has used.
      *reinterpret_cast<volatile char*>(stats.address_high - 16) = 1;
      ADD_FAILURE() << "no fault";
    }
  }
  sigaltstack(&before, nullptr);
  ExpectFound(1);
  const auto low = std::find_if(stack.begin(), stack.end(),
                                [](char byte) { return byte != kUntouched; });
  const auto used = g_top - &*low;
  // It may still have been inside what nobody wrote to; less than that.
  RecordProperty("stack", static_cast<int>(used));
  EXPECT_LT(used, 4608);
}

TEST_F(SignalTest, InTheMiddleOfAnInstance) {
  const Handler handler(SIGALRM, SA_RESTART);
  itimerval every = {{0, 500}, {0, 500}};
  setitimer(ITIMER_REAL, &every, nullptr);
  for (int i = 0; i < 300000; ++i) a_free(a_malloc(i % 5000));
  every = {};
  setitimer(ITIMER_REAL, &every, nullptr);
  ExpectFound(1);
}

// The thread itself is inside of the loader.
TEST_F(SignalTest, InTheMiddleOfTheLoader) {
  const Handler handler(SIGUSR1);
  dl_iterate_phdr(
      [](dl_phdr_info*, size_t, void*) {
        raise(SIGUSR1);
        return 1;
      },
      nullptr);
  ExpectFound(1);
}

// Another thread holds the loader's lock and does not let go before we have
// the answer; with a lock of our own to take, the test would not end.
TEST_F(SignalTest, WhileAnotherThreadHoldsTheLoadersLock) {
  static std::atomic<int> stage;
  stage = 0;
  std::thread other([] {
    dl_iterate_phdr(
        [](dl_phdr_info*, size_t, void*) {
          stage = 1;
          while (stage != 2) usleep(100);
          return 1;
        },
        nullptr);
  });
  while (stage != 1) usleep(100);
  {
    const Handler handler(SIGUSR1);
    raise(SIGUSR1);
  }
  stage = 2;
  other.join();
  ExpectFound(1);
}

TEST_F(SignalTest, WhileAnotherThreadIsInDlopen) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(setenv("PLUGIN_WAITS_FOR", std::to_string(ends[0]).c_str(), 1), 0);
  std::atomic<bool> opened = false;
  std::thread other([&] {
    Opened plugin(std::string(kDirectory) + "libplugin_waits.so");
    opened = true;
  });
  const Handler handler(SIGUSR1);
  // Loaded but for its constructor, it is found.
  for (g_listed = 0; g_listed != 2; usleep(100)) raise(SIGUSR1);
  EXPECT_FALSE(opened);
  ExpectFound(2);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  other.join();
  raise(SIGUSR1);
  ExpectFound(1);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace registry_tests
