#include "examples/versions/picture.h"

#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "examples/common/numbers.h"

namespace versions {

namespace {

// The first character is for up to this, and each one more doubles it.
constexpr unsigned kFirstBits = 12;
constexpr int kBarLength = 28;

size_t Length(uint64_t bytes) {
  if (bytes == 0) return 0;
  const unsigned bits = std::bit_width(bytes - 1);  // rounded up
  return bits <= kFirstBits ? 1 : bits - kFirstBits + 1;
}

std::string Bar(const Piece& piece) {
  std::string bar(Length(piece.mapped), '.');
  bar.replace(0, Length(piece.accessible), Length(piece.accessible), '+');
  bar.replace(0, Length(piece.in_memory), Length(piece.in_memory), '#');
  return bar;
}

// Some sizes, above the characters that end there.
constexpr char kScale[] = "4K      1M      256M    64G";

}  // namespace

std::string Draw(const std::vector<Piece>& pieces) {
  constexpr char kLine[] = "%-14s %10s %10s  %-*s %s\n";
  std::string picture = absl::StrFormat(kLine, "from", "mapped", "in memory",
                                        kBarLength, kScale, "whose");
  uintptr_t end = 0;
  for (const Piece& piece : pieces) {
    if (end != 0 && piece.begin - end >= kLargeGap) {
      absl::StrAppendFormat(&picture, kLine, "",
                            common::Bytes(piece.begin - end), "", kBarLength,
                            "", "nobody's");
    }
    absl::StrAppendFormat(&picture, kLine, absl::StrFormat("0x%x", piece.begin),
                          common::Bytes(piece.mapped),
                          common::Bytes(piece.in_memory), kBarLength,
                          Bar(piece), piece.owner);
    end = piece.end;
  }
  return picture;
}

}  // namespace versions
