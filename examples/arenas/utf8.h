// Characters of more than one byte.
#ifndef EXAMPLES_ARENAS_UTF8_H_
#define EXAMPLES_ARENAS_UTF8_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace arenas {

// The bytes of the character that the text begins with; 0 if it is none: cut
// short, longer than it need be, a surrogate, or beyond U+10FFFF.
size_t CharacterSize(absl::string_view text);

// Writes the character, at most 4 bytes, and returns how many they are.
size_t EncodeCharacter(uint32_t character, char* out);

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_UTF8_H_
