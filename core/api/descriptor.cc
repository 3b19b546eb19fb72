#include "core/api/descriptor.h"

#include "core/api/entry_points.h"
#include "core/api/state.h"

// Range has private members and public ones; compilers lay them out all the
// same.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace ALCOVE_CORE_NAMESPACE {

static_assert(sizeof(Descriptor) == ALCOVE_DESCRIPTOR_SIZE);
// A reader takes the slots for plain pointers and numbers.
static_assert(sizeof(Atomic<Range*>) == sizeof(Range*));
static_assert(sizeof(Atomic<ForeignOwnerHook>) == sizeof(ForeignOwnerHook));

struct DescriptorLayout {
  static constexpr const Atomic<Range*>* Ranges() {
    return g_instance.region.ranges_;
  }
  static constexpr uint32_t kBase = offsetof(Range, base_);
  static constexpr uint32_t kUnits =
      offsetof(Range, units_) + offsetof(UnitMap, units_);
  static_assert(sizeof(Range::base_) == sizeof(uint64_t) &&
                sizeof(UnitMap::units_) == sizeof(uint64_t));
};

constinit const Descriptor g_descriptor = {
    kDescriptorMagic,
    sizeof(Descriptor),
    ALCOVE_DESCRIPTOR_LAYOUT,
    &g_descriptor,
    ALCOVE_PREFIX_STRING,
    ALCOVE_VERSION_STRING,
    ALCOVE_LABEL_STRING,
    ALCOVE_CONFIG_JSON,
    sizeof(ALCOVE_PREFIX_STRING) - 1,
    sizeof(ALCOVE_VERSION_STRING) - 1,
    sizeof(ALCOVE_LABEL_STRING) - 1,
    sizeof(ALCOVE_CONFIG_JSON) - 1,
    DescriptorLayout::Ranges(),
    Region::kRangesMax,
    DescriptorLayout::kBase,
    DescriptorLayout::kUnits,
    kUnitShift,
    &g_foreign_owner_hook,
};

}  // namespace ALCOVE_CORE_NAMESPACE

ALCOVE_NOTE(".note.alcove", "Alcove", 1, ALCOVE_DESCRIPTOR_LAYOUT,
            ALCOVE_DESCRIPTOR_SIZE, ALCOVE_DESCRIPTOR_SYMBOL);
