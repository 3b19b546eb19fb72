// Memory that the program gives to the instance.
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/api/seal.h"
#include "core/arena/occupants.h"

namespace core = ALCOVE_CORE_NAMESPACE;

static int AnswerTo(core::Region::Donation donation) {
  switch (donation) {
    case core::Region::Donation::kTaken:
      return 0;
    case core::Region::Donation::kNotWritable:
      return core::kFault;
    case core::Region::Donation::kFull:
      return core::kNoMemory;
    case core::Region::Donation::kInvalid:
      break;
  }
  return core::kInvalidArgument;
}

ALCOVE_EXPORT int ALCOVE_PUBLIC(donate)(void* memory, size_t size) noexcept {
  return AnswerTo(core::g_instance.region.Donate(memory, size,
                                                 core::Registry::RoomBytes()));
}

ALCOVE_EXPORT int ALCOVE_PUBLIC(arena_donate)(ALCOVE_PUBLIC(arena) * arena,
                                              void* memory,
                                              size_t size) noexcept {
  return AnswerTo(
      core::g_arenas.Resolve(core::AddressOf(arena))->Donate(memory, size));
}

ALCOVE_EXPORT size_t ALCOVE_PUBLIC(donated_visit_blocks)(
    const void* address, void (*visit)(void*, size_t, void*),
    void* context) noexcept {
  const core::Range* const range = core::g_instance.region.RangeOf(address);
  if (range == nullptr || !range->donated()) return 0;
  return core::VisitSealed(
      visit, context, [range](core::BlockVisitor each, void* of) {
        return core::VisitOccupants(core::g_instance, core::g_arenas, *range,
                                    each, of);
      });
}
