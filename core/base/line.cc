#include "core/base/line.h"

#include "core/base/log.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

TextLine::TextLine() { Text("alcove[").Text(kInstanceName).Text("]: "); }

ALCOVE_COLD TextLine& TextLine::Text(const char* text) {
  // One byte stays for the end of the line.
  while (*text != '\0' && size_ < sizeof(buffer_) - 1)
    buffer_[size_++] = *text++;
  return *this;
}

ALCOVE_COLD TextLine& TextLine::Decimal(size_t number) {
  char digits[21];  // 2^64 has 20
  char* p = digits + sizeof(digits) - 1;
  *p = '\0';
  do {
    *--p = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return Text(p);
}

ALCOVE_COLD TextLine& TextLine::Address(const void* address) {
  Text("0x");
  const uintptr_t word = AddressOf(address);
  int shift = 60;
  while (shift > 0 && (word >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) {
    const char digit[2] = {"0123456789abcdef"[(word >> shift) & 15], '\0'};
    Text(digit);
  }
  return *this;
}

ALCOVE_COLD const char* TextLine::text() {
  buffer_[size_] = '\0';  // there is room for the end of the line
  return buffer_;
}

ALCOVE_COLD void TextLine::WriteError() {
  buffer_[size_] = '\n';
  platform::WriteError(buffer_, size_ + 1);
}

ALCOVE_COLD void TextLine::Stop() {
  if (const Log<LogLevel::error> log; log) {
    // Once: what it does may come here, too.
    g_log_sink.Store(nullptr, Order::kRelaxed);
    log.Write(*this);
  }
  WriteError();
  platform::Abort();
}

}  // namespace ALCOVE_CORE_NAMESPACE
