#include "core/hardening/canary.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

uint64_t LoadWord(const char* at) {
  uint64_t word;
  __builtin_memcpy(&word, at, sizeof(word));
  return word;
}
void StoreWord(char* at, uint64_t word) {
  __builtin_memcpy(at, &word, sizeof(word));
}

// The byte that a word has at an address, where words lie at multiples of 8.
char ByteAt(uint64_t word, const char* at) {
  return static_cast<char>(word >> (AddressOf(at) % 8 * 8));
}

}  // namespace

void Canary::Fill(char* begin, char* end) const {
  for (; begin != end && AddressOf(begin) % 8 != 0; ++begin)
    *begin = ByteAt(word_, begin);
  for (; end - begin >= 8; begin += 8) StoreWord(begin, word_);
  for (; begin != end; ++begin) *begin = ByteAt(word_, begin);
}

bool Canary::Fills(const char* begin, const char* end) const {
  for (; begin != end && AddressOf(begin) % 8 != 0; ++begin) {
    if (*begin != ByteAt(word_, begin)) return false;
  }
  for (; end - begin >= 8; begin += 8) {
    if (LoadWord(begin) != word_) return false;
  }
  for (; begin != end; ++begin) {
    if (*begin != ByteAt(word_, begin)) return false;
  }
  return true;
}

void Canary::Put(char* block, size_t size, size_t extent) const {
  char* const last = block + extent - 8;
  Fill(block + size, last);
  StoreWord(last, word_ ^ (extent - 8 - size) * kFourTimes);
}

bool Canary::Check(const char* block, size_t extent, size_t* size) const {
  const char* const last = block + extent - 8;
  const uint64_t difference = LoadWord(last) ^ word_;
  const size_t slack = difference & 0xffff;
  *size = extent;
  if (ALCOVE_UNLIKELY(difference != slack * kFourTimes || slack > extent - 8))
    return false;
  *size = extent - 8 - slack;
  return Fills(last - slack, last);
}

void Canary::PutFreed(char* block, size_t extent) const {
  StoreWord(block + extent - 8, freed_);
}

bool Canary::SaysFreed(const char* block, size_t extent) const {
  return LoadWord(block + extent - 8) == freed_;
}

}  // namespace ALCOVE_CORE_NAMESPACE
