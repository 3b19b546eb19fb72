#include "bench/runner/text.h"

namespace bench {

std::vector<std::string> SplitText(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    const std::string_view piece = text.substr(0, end);
    if (!piece.empty()) pieces.emplace_back(piece);
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  return pieces;
}

bool BeginsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string Trimmed(std::string_view text) {
  constexpr char kSpace[] = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return "";
  return std::string(
      text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

}  // namespace bench
