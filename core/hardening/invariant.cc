#include "core/hardening/invariant.h"

#include "core/base/fatal.h"

namespace ALCOVE_CORE_NAMESPACE {

void InvariantBroken(const char* condition, const char* file, int line) {
  FatalLine text;
  text.Text("internal error: ")
      .Text(condition)
      .Text(" does not hold at ")
      .Text(file)
      .Text(":");
  text.Decimal(static_cast<size_t>(line)).Stop();
}

}  // namespace ALCOVE_CORE_NAMESPACE
