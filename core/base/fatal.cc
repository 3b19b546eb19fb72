#include "core/base/fatal.h"

#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

FatalLine::FatalLine() { Text("alcove[").Text(kInstanceName).Text("]: "); }

ALCOVE_COLD FatalLine& FatalLine::Text(const char* text) {
  // One byte stays for the end of the line.
  while (*text != '\0' && size_ < sizeof(buffer_) - 1)
    buffer_[size_++] = *text++;
  return *this;
}

ALCOVE_COLD FatalLine& FatalLine::Decimal(size_t number) {
  char digits[21];  // 2^64 has 20
  char* p = digits + sizeof(digits) - 1;
  *p = '\0';
  do {
    *--p = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return Text(p);
}

ALCOVE_COLD FatalLine& FatalLine::Address(const void* address) {
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

ALCOVE_COLD void FatalLine::Stop() {
  buffer_[size_++] = '\n';
  platform::WriteError(buffer_, size_);
  platform::Abort();
}

}  // namespace ALCOVE_CORE_NAMESPACE
