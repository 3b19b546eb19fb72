#include "core/size/size_class.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace internal {

alignas(64) constinit const ClassTable kClassTable = MakeClassTable();
alignas(64) constinit const LookupTable kLookupTable = MakeLookupTable();

}  // namespace internal
}  // namespace ALCOVE_CORE_NAMESPACE
