#include "registry/maps.h"

namespace alcove::registry {

namespace {

constexpr int kEnd = -1;

unsigned Digit(int c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  return 16;
}

}  // namespace

// The next character, or kEnd.
int Maps::Get() {
  if (next_ == size_) {
    if (error_ < 0) return kEnd;
    if (!file_.is_open()) {
      error_ = file_.descriptor();
      return kEnd;
    }
    long got;
    do {
      got = Call(SYS_read, file_.descriptor(), Word(buffer_), sizeof(buffer_));
    } while (got == -kErrInterrupted);
    if (got < 0) error_ = got;
    if (got <= 0) return kEnd;
    next_ = 0;
    size_ = static_cast<size_t>(got);
  }
  return static_cast<unsigned char>(buffer_[next_++]);
}

// A number, and in *end what follows it.
uint64_t Maps::Number(unsigned base, int* end) {
  uint64_t number = 0;
  int c = Get();
  for (; Digit(c) < base; c = Get()) number = number * base + Digit(c);
  *end = c;
  return number;
}

// A name that begins with `c` and goes to the end of the line. What does not
// fit is left out at its beginning: the end says more.
void Maps::CopyName(int c, MappedFile* to) {
  constexpr size_t kMax = sizeof(to->file) - 1;
  constexpr size_t kKept = kMax / 2;
  size_t size = 0;
  to->truncated = false;
  for (; c != '\n' && c != kEnd; c = Get()) {
    if (size == kMax) {
      to->truncated = true;
      for (size_t i = 0; i < kKept; ++i)
        to->file[i] = to->file[kMax - kKept + i];
      size = kKept;
    }
    to->file[size++] = static_cast<char>(c < 0x20 || c == 0x7f ? '?' : c);
  }
  to->file[size] = '\0';
}

// A line: 7f0012340000-7f0012350000 r--p 00000000 fe:00 1234    /lib/libc.so.6
bool Maps::Next(MappedFile* found) {
  for (;;) {
    int c;
    found->start = Number(16, &c);
    found->inode = 0;
    if (c == kEnd) return false;
    bool good = c == '-';
    if (c != '\n') Number(16, &c);
    good &= c == ' ';
    char access[5] = {};
    for (size_t i = 0; i < sizeof(access) && c != '\n' && c != kEnd; ++i) {
      c = Get();
      access[i] = static_cast<char>(c);
    }
    good &= access[0] == 'r' && access[3] == 'p' && access[4] == ' ';
    if (good) {
      good = Number(16, &c) == 0 && c == ' ';
      if (good) {
        do {
          c = Get();  // the device
        } while (c != ' ' && c != '\n' && c != kEnd);
        if (c == ' ') found->inode = Number(10, &c);
        good = c != kEnd && found->inode != 0;
      }
    }
    if (good) {
      while (c == ' ') c = Get();
      CopyName(c, found);
      return true;
    }
    while (c != '\n' && c != kEnd) c = Get();
    if (c == kEnd) return false;
  }
}

}  // namespace alcove::registry
