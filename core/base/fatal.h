// The end of the process with one line on standard error that says why:
//
//   alcove[render_]: double free of 0x7f0012345678 (a block of 64 bytes)
#ifndef ALCOVE_CORE_BASE_FATAL_H_
#define ALCOVE_CORE_BASE_FATAL_H_

#include "core/base/bits.h"
#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {

// A line that begins with the instance's name. It is built on the stack, so
// that one write shows it whole among other threads' output; what does not fit
// is cut off.
class FatalLine {
 public:
  FatalLine();
  FatalLine& Text(const char* text);
  FatalLine& Decimal(size_t number);
  FatalLine& Address(const void* address);
  [[noreturn]] void Stop();

 private:
  char buffer_[512];
  size_t size_ = 0;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_BASE_FATAL_H_
