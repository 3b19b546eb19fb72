// The instance's private break.
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/api/state.h"

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT void* ALCOVE_PUBLIC(sbrk)(intptr_t increment) noexcept {
  char* const former = core::g_instance.program_break.Move(
      increment, &core::g_instance.region.fork_generation());
  if (former != nullptr) return former;
  core::Fail(core::kNoMemory);
  return reinterpret_cast<void*>(-1);
}
