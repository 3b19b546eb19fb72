#include "bench/runner/format.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace bench {

namespace {

std::string ThreeDigits(double value) {
  // The bounds are where rounding would give a fourth digit.
  if (value < 9.995) return absl::StrFormat("%.2f", value);
  if (value < 99.95) return absl::StrFormat("%.1f", value);
  return absl::StrFormat("%.0f", value);
}

}  // namespace

std::string FormatSeconds(double seconds) {
  for (const char* unit : {"ns", "µs", "ms"}) {
    const double scale = unit[0] == 'n' ? 1e9 : unit[0] == 'm' ? 1e3 : 1e6;
    if (seconds * scale < 999.5) {
      return absl::StrCat(ThreeDigits(seconds * scale), " ", unit);
    }
  }
  return absl::StrCat(ThreeDigits(seconds), " s");
}

std::string FormatKib(double kib) {
  if (kib < 1024) return absl::StrFormat("%.0f KiB", kib);
  return absl::StrCat(ThreeDigits(kib / 1024), " MiB");
}

std::string FormatRatio(double ratio) { return ThreeDigits(ratio); }

std::string FormatSpread(double spread) {
  // The max also keeps a minus off the zero.
  return absl::StrFormat("±%.0f%%",
                         std::max(0.0, std::ceil(spread * 50 - 1e-9)));
}

}  // namespace bench
