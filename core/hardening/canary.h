// What lies behind the bytes of a block that were asked for, with the knob
// `canaries`, so that whoever writes there is noticed.
//
//   block            size                    extent - 8      extent
//     | asked for ... | slack: the canary's bytes | last word |
//
// The canary is a word that depends on the block's address and on the instance's
// secret; each of its bytes is other than 0, so that the zero at the end of a
// string shows. The last word is the canary with the length of the slack mixed into
// it: so a block says itself how much was asked for, and who would forge that has to
// know the canary. Nothing here is ever followed as an
// address. A block that is a span of its own can have much slack, of which only
// the part up to the next page is used, and its size is in its descriptor.
//
// All in here is arithmetic on memory; core/api/seal.h knows the blocks.
#ifndef ALCOVE_CORE_HARDENING_CANARY_H_
#define ALCOVE_CORE_HARDENING_CANARY_H_

#include "core/hardening/secret.h"

namespace ALCOVE_CORE_NAMESPACE {

inline constexpr size_t kCanaryBytes = Config::kCanaries ? 8 : 0;

// What is to be allocated for a block of so many bytes. What is too large stays
// so.
constexpr size_t WithCanary(size_t size) {
  return size + kCanaryBytes < size ? size : size + kCanaryBytes;
}

class Canary {
 public:
  Canary(uint64_t secret, const void* block)
      : word_(Mix(secret ^ AddressOf(block)) | 0x0101010101010101u),
        // Not to be had from the canary of the same block.
        freed_(Mix(~secret ^ AddressOf(block))) {}

  // For a block of `extent` bytes, a multiple of 8, and `size` <= extent - 8 that
  // were asked for.
  void Put(char* block, size_t size, size_t extent) const;
  // Whether all is as Put left it; *size: what that was told, if the last word
  // says so, else extent.
  bool Check(const char* block, size_t extent, size_t* size) const;

  // The same without the last word, for [begin, end) only.
  void Fill(char* begin, char* end) const;
  bool Fills(const char* begin, const char* end) const;

  // Puts a word at the end of a block that is freed that says so.
  void PutFreed(char* block, size_t extent) const;
  bool SaysFreed(const char* block, size_t extent) const;

 private:
  // A slack is of 16 bits, and in the last word four times: no change of one byte
  // makes it another one.
  static constexpr uint64_t kFourTimes = 0x0001000100010001u;

  uint64_t word_;
  uint64_t freed_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HARDENING_CANARY_H_
