// For real: the kernel refuses one system call of the platform layer after the
// other, to one thread. What cannot be served gives null and ENOMEM, every live
// block keeps its contents, blocks are freed and resized meanwhile, all is served
// again afterwards, and nothing is left after shutdown.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <functional>
#include <ostream>
#include <string>
#include <thread>

#include "tests/contract/contract.h"
#include "tests/contract/failing.h"
#include "tests/contract/stock.h"
#include "tests/isolation/refusal.h"

namespace contract {
namespace {

// ---- All calls of a kind ----

struct Call {
  const char* name;
  long number;
  // Whether calls of the instance fail for it. Of the others none does: what
  // the system keeps or does not tell is no reason not to serve.
  bool refuses = false;
  // Whether the work of a Stock makes it for certain.
  bool made = false;

  friend void PrintTo(const Call& call, std::ostream* to) { *to << call.name; }
};

// All that the instance makes while nothing is amiss, but for getpid and gettid,
// which cannot fail.
constexpr Call kCallsOfWork[] = {
    {"mmap", SYS_mmap, true, true},
    {"mprotect", SYS_mprotect, true, true},
    {"munmap", SYS_munmap, false, true},
    {"madvise", SYS_madvise, false, true},
    {"mremap", SYS_mremap, false, true},
    {"mincore", SYS_mincore, false, true},
    {"futex", SYS_futex, false, true},
    {"tgkill", SYS_tgkill, false, true},
    {"sched_yield", SYS_sched_yield, false, false},
    {"clock_gettime", SYS_clock_gettime, false, true},
    {"write", SYS_write, false, false},
    {"kcmp", SYS_kcmp, false, false},
};

// Whom the call is refused to.
enum class Who {
  kTheFirst,   // who touches the instance: nothing is mapped
  kANewcomer,  // who has no heap yet, where others hold blocks
  kAnHeir,     // the same where threads have died
  kAnOldHand,  // who has a heap, and holds blocks
};
constexpr const char* kNames[] = {"TheFirst", "ANewcomer", "AnHeir",
                                  "AnOldHand"};

// Threads that end without a word, where nothing tells of it, so that a new one
// asks the kernel about them.
void LeaveDeadOnes() {
  std::thread threads[3];
  for (std::thread& thread : threads)
    thread = std::thread([] { subject::free(subject::malloc(100)); });
  for (std::thread& thread : threads) thread.join();
}

void RefuseAndGoOn(const Call& call, Who who) {
  Begin();
  static Stock old(1);
  static Stock young(2);
  if (who != Who::kTheFirst) {
    REQUIRE(old.Work(kCalls) == 0);
    subject::free(subject::malloc(1));
  }
  if (who == Who::kAnHeir) LeaveDeadOnes();
  size_t refused = 0;
  std::thread([&] {
    if (who == Who::kAnOldHand) REQUIRE(young.Work(kCalls) == 0);
    REQUIRE(isolation::RefuseToThisThread(call.number));
    for (int i = 0; i < 2; ++i) {
      refused += young.Work(kCalls);
      refused += old.Work(kCalls);
    }
    young.Verify();
    old.Verify();
    // Whoever cannot be asked after is taken to live, and keeps what he has.
    if (!call.refuses && who != Who::kTheFirst) {
      subject::free(subject::malloc(1));
      REQUIRE(CountNow().threads >= 2);
    }
    subject::thread_detach();
  }).join();
  if (!call.refuses) REQUIRE(refused == 0);
  // Who has a heap may find all else in what is there.
  if (call.refuses && who <= Who::kANewcomer) REQUIRE(refused != 0);
  End(&old, &young, call.number != SYS_munmap);
}

constexpr char kCannotRefuse[] =
    "this system lets no process filter its system calls";

class RefusedCallDeathTest
    : public testing::TestWithParam<std::tuple<Call, Who>> {
 protected:
  void SetUp() override {
    if (!isolation::CanRefuse()) GTEST_SKIP() << kCannotRefuse;
  }
};

INSTANTIATE_TEST_SUITE_P(
    All, RefusedCallDeathTest,
    testing::Combine(testing::ValuesIn(kCallsOfWork),
                     testing::Values(Who::kTheFirst, Who::kANewcomer,
                                     Who::kAnHeir, Who::kAnOldHand)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param).name) + "To" +
             kNames[static_cast<int>(std::get<1>(info.param))];
    });

TEST_P(RefusedCallDeathTest, HarmsNothing) {
  const auto [call, who] = GetParam();
  EXPECT_EXIT(RefuseAndGoOn(call, who), testing::ExitedWithCode(0), "");
}

// ---- The nth call, and all from the nth on ----

// A thread whose calls are judged. It never ends: at its end libc blocks all
// signals, even that of the judge, and may make such calls itself.
class Judged {
 public:
  explicit Judged(long number) {
    std::thread([this, number] {
      REQUIRE(isolation::JudgeThisThread(number));
      for (;;) {
        const std::function<void()>* const task = task_;
        if (task != nullptr) {
          (*task)();
          task_ = nullptr;
        }
        usleep(20);
      }
    }).detach();
  }

  void Do(const std::function<void()>& task) {
    task_ = &task;
    while (task_ != nullptr) usleep(20);
  }

 private:
  std::atomic<const std::function<void()>*> task_ = nullptr;
};

// The thread works, and its calls from the nth to the last are refused. Returns
// how many it made.
size_t Refuse(const Call& call, Judged* thread, size_t nth, size_t last,
              bool fresh) {
  static Stock old(3);
  static Stock young(4);
  // The instance's own thread would be under the same judge, and blocks signals
  // itself.
  if (!fresh || IsOn("background_purge")) subject::free(subject::malloc(1));
  if (!fresh) REQUIRE(old.Work(100) == 0);
  if (fresh) subject::thread_detach();
  size_t made = 0;
  thread->Do([&] {
    isolation::JudgeCalls(nth, last);
    size_t refused = young.Work(100);
    if (!fresh) refused += old.Work(100);
    REQUIRE(refused == 0 || call.refuses);
    // One call that is refused is no reason to refuse two.
    REQUIRE(refused <= 1 || last > nth);
    subject::thread_detach();
    if (fresh && call.number == SYS_munmap) {
      young.Clear();
      subject::thread_detach();
      REQUIRE(subject::shutdown() == 0);
      REQUIRE(CountNow().bytes_reserved == 0);
    }
    made = isolation::JudgeCalls(1, 0);
  });
  Finish(&old, &young, 60, call.number != SYS_munmap);
  return made;
}

void RefuseEach(const Call& call) {
  Judged thread(call.number);
  Begin();
  size_t made[] = {0, 0};
  for (size_t nth = 1; nth <= std::max<size_t>({made[0], made[1], 1});
       nth += 1 + nth / 2) {
    for (const bool fresh : {false, true}) {
      made[fresh] = Refuse(call, &thread, nth, nth, fresh);
      Refuse(call, &thread, nth, SIZE_MAX, fresh);
    }
  }
  // Where all is purged at once there is nothing left to ask about.
  const bool asks =
      call.number != SYS_mincore || Config().at("purge_delay_ms") != "0";
  REQUIRE(made[0] + made[1] != 0 || !call.made || !asks);
  _exit(0);
}

class JudgedCallDeathTest : public testing::TestWithParam<Call> {
 protected:
  void SetUp() override {
    if (!isolation::CanRefuse()) GTEST_SKIP() << kCannotRefuse;
  }
};

INSTANTIATE_TEST_SUITE_P(All, JudgedCallDeathTest,
                         testing::ValuesIn(kCallsOfWork), [](const auto& info) {
                           return std::string(info.param.name);
                         });

TEST_P(JudgedCallDeathTest, EachCanBeRefused) {
  EXPECT_EXIT(RefuseEach(GetParam()), testing::ExitedWithCode(0), "");
}

// ---- The end of the process ----

// Misuse stops the process whatever of its last calls is refused.
class LastCallDeathTest : public testing::TestWithParam<Call> {
 protected:
  void SetUp() override {
    if (!isolation::CanRefuse()) GTEST_SKIP() << kCannotRefuse;
  }
};

INSTANTIATE_TEST_SUITE_P(
    All, LastCallDeathTest,
    testing::Values(Call{"write", SYS_write}, Call{"getpid", SYS_getpid},
                    Call{"gettid", SYS_gettid}, Call{"tgkill", SYS_tgkill},
                    Call{"rt_sigprocmask", SYS_rt_sigprocmask},
                    Call{"rt_sigaction", SYS_rt_sigaction},
                    Call{"exit_group", SYS_exit_group}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(LastCallDeathTest, StopsAllTheSame) {
  const auto stopped = [](int status) {
    return WIFSIGNALED(status) ? WTERMSIG(status) == SIGABRT
                               : WEXITSTATUS(status) == 134;
  };
  int local = 0;
  EXPECT_EXIT(
      {
        subject::free(subject::malloc(1));
        REQUIRE(isolation::RefuseToThisThread(GetParam().number));
        subject::free(&local);
        REQUIRE(false);
      },
      stopped,
      testing::HasSubstr(GetParam().number == SYS_write ? ""
                                                        : subject::prefix));
}

}  // namespace
}  // namespace contract
