// A sandbox that refuses system calls, for a child process: there is no way
// back out of it.
#ifndef ALCOVE_TESTS_REGISTRY_SANDBOX_H_
#define ALCOVE_TESTS_REGISTRY_SANDBOX_H_

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <vector>

namespace registry_tests {

struct Refusal {
  long number;
  int error;
};

// From now on these calls fail with these errors.
inline void Refuse(const std::vector<Refusal>& refusals) {
  std::vector<sock_filter> filter = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const auto& [number, error] : refusals) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                              static_cast<unsigned>(number), 0, 1));
    filter.push_back(BPF_STMT(
        BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program = {static_cast<unsigned short>(filter.size()),
                              filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::abort();
  }
}

}  // namespace registry_tests

#endif  // ALCOVE_TESTS_REGISTRY_SANDBOX_H_
