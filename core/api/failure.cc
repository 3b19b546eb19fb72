#include "core/api/failure.h"

// libc's errno, with glibc and with musl; referred to only where the knob asks
// for it.
extern "C" int* __errno_location() noexcept;

namespace ALCOVE_CORE_NAMESPACE {

void* Fail([[maybe_unused]] int error) {
  if constexpr (Config::kSetErrno) *__errno_location() = error;
  return nullptr;
}

KeepErrno::KeepErrno() {
  if constexpr (Config::kSetErrno) saved_ = *__errno_location();
}

KeepErrno::~KeepErrno() {
  if constexpr (Config::kSetErrno) *__errno_location() = saved_;
}

}  // namespace ALCOVE_CORE_NAMESPACE
