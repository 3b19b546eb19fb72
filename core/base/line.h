// One line of text about this instance, built on the stack: for the log
// (log.h), or the last one, on standard error, that says why the process ends:
//
//   alcove[render_]: double free of 0x7f0012345678 (a block of 64 bytes)
#ifndef ALCOVE_CORE_BASE_LINE_H_
#define ALCOVE_CORE_BASE_LINE_H_

#include "core/base/bits.h"
#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {

// Begins with the instance's name. What does not fit is cut off.
class TextLine {
 public:
  TextLine();
  TextLine& Text(const char* text);
  TextLine& Decimal(size_t number);
  TextLine& Address(const void* address);

  // The text, with a zero and no newline at its end.
  const char* text();

  // Writes it to standard error, with a newline.
  void WriteError();

  // Ends the process. One write shows the line whole among other threads'
  // output. The log has it first, as an error.
  [[noreturn]] void Stop();

 private:
  char buffer_[512];
  size_t size_ = 0;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_BASE_LINE_H_
