#include "core/hardening/invariant.h"

#include "core/base/line.h"

namespace ALCOVE_CORE_NAMESPACE {

void InvariantBroken(const char* condition, const char* file, int line) {
  TextLine text;
  text.Text("internal error: ")
      .Text(condition)
      .Text(" does not hold at ")
      .Text(file)
      .Text(":");
  text.Decimal(static_cast<size_t>(line)).Stop();
}

}  // namespace ALCOVE_CORE_NAMESPACE
