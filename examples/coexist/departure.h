// The end of the instances, and the proof that nothing of theirs is left.
#ifndef EXAMPLES_COEXIST_DEPARTURE_H_
#define EXAMPLES_COEXIST_DEPARTURE_H_

#include "examples/common/departure.h"

namespace coexist {

// Shuts all instances down. No other thread may use them, and nothing may live
// in them.
common::Departure ShutDown();

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_DEPARTURE_H_
