#include "examples/arenas/utf8.h"

namespace arenas {

size_t CharacterSize(absl::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](size_t i) -> unsigned char { return text[i]; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  // 0x80 to 0xc1 continue a character, or would begin one that fits in less.
  if (first < 0xc2 || first > 0xf4) return 0;
  const size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && byte(1) < 0xa0) return 0;   // fits in 2
  if (first == 0xed && byte(1) >= 0xa0) return 0;  // a surrogate
  if (first == 0xf0 && byte(1) < 0x90) return 0;   // fits in 3
  if (first == 0xf4 && byte(1) >= 0x90) return 0;  // beyond U+10FFFF
  return size;
}

size_t EncodeCharacter(uint32_t character, char* out) {
  if (character < 0x80) {
    out[0] = static_cast<char>(character);
    return 1;
  }
  const size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
  for (size_t i = size - 1; i > 0; --i, character >>= 6) {
    out[i] = static_cast<char>(0x80 | (character & 0x3f));
  }
  constexpr unsigned char kFirst[] = {0, 0, 0xc0, 0xe0, 0xf0};
  out[0] = static_cast<char>(kFirst[size] | character);
  return size;
}

}  // namespace arenas
