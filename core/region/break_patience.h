// How long one waits for a thread that shrinks the break. (tests/model has less time.)
#ifndef ALCOVE_CORE_REGION_BREAK_PATIENCE_H_
#define ALCOVE_CORE_REGION_BREAK_PATIENCE_H_

#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace break_patience {

// How often the rest of a time slice is given away before it is asked whether that
// thread lives, and how often that is asked.
inline constexpr unsigned kYields = 100;
inline constexpr unsigned kRounds = 100;

}  // namespace break_patience
}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_REGION_BREAK_PATIENCE_H_
