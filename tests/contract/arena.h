// What the suites of arenas share.
#ifndef TESTS_CONTRACT_ARENA_H_
#define TESTS_CONTRACT_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/contract/contract.h"
#include "tests/contract/subject.h"

namespace contract {

// What arenas hold is counted in these.
inline constexpr size_t kUnit = 64 * kKiB;

// Options that ask for nothing but a mode.
subject::ArenaOptions Options(uint32_t mode = subject::kGeneral);

subject::ArenaStats StatsOf(subject::Arena* arena);
std::vector<subject::ArenaClassStats> ClassesOf(subject::Arena* arena);

// Whether units that an arena left stay out of use for a while.
bool Quarantines();

// "arena 7 (name)", as messages call it.
std::string TextOf(subject::Arena* arena);

// "alcove[<prefix>]: <text>\n", and an address as such a text has it.
std::string Says(const std::string& text);
std::string Hex(const void* address);

// An arena that is destroyed in the end, unless it was before.
class ScopedArena {
 public:
  explicit ScopedArena(const subject::ArenaOptions& options = Options());
  ScopedArena(const ScopedArena&) = delete;
  ScopedArena& operator=(const ScopedArena&) = delete;
  ~ScopedArena() { Destroy(); }

  // Implicit: it stands for the arena in every call.
  operator subject::Arena*() const { return arena_; }
  void Destroy();
  // It is gone by other means.
  void Forget() { arena_ = nullptr; }

 private:
  subject::Arena* arena_;
};

// Every test in both modes.
class ArenaModesTest : public ContractTest,
                       public testing::WithParamInterface<uint32_t> {
 protected:
  bool monotonic() const { return GetParam() == subject::kMonotonic; }
  subject::ArenaOptions Options() const {
    return contract::Options(GetParam());
  }
};

// What errno is after the call, which began with kUntouched.
inline constexpr int kUntouched = 12345;
int ErrnoAfter(const std::function<void()>& call);

// What errno has to be after a failure with this code: the knob decides.
int ErrnoOf(int code);

}  // namespace contract

#define INSTANTIATE_IN_BOTH_MODES(Suite)                                     \
  INSTANTIATE_TEST_SUITE_P(                                                  \
      Modes, Suite, testing::Values(subject::kGeneral, subject::kMonotonic), \
      [](const auto& mode) {                                                 \
        return mode.param == subject::kGeneral ? "General" : "Monotonic";    \
      })

#endif  // TESTS_CONTRACT_ARENA_H_
