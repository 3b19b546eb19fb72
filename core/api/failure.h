// What a call that cannot be served does: policy lives here, the layers below
// return null.
#ifndef ALCOVE_CORE_API_FAILURE_H_
#define ALCOVE_CORE_API_FAILURE_H_

#include "core/base/bits.h"
#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {

// Linux's numbers (include/uapi/asm-generic/errno-base.h), which the C
// functions return.
inline constexpr int kNoMemory = 12;         // ENOMEM
inline constexpr int kFault = 14;            // EFAULT
inline constexpr int kBusy = 16;             // EBUSY
inline constexpr int kInvalidArgument = 22;  // EINVAL
inline constexpr int kNotSupported = 95;     // EOPNOTSUPP, ENOTSUP

// Null, with libc's errno set where the knob `set_errno` is on.
ALCOVE_COLD void* Fail(int error);

// Keeps libc's errno as it is for as long as the object lives.
class KeepErrno {
 public:
  KeepErrno();
  ~KeepErrno();
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

 private:
  [[maybe_unused]] int saved_ = 0;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_FAILURE_H_
