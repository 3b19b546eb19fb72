// The end of the instances, and the proof that nothing of theirs is left.
#ifndef EXAMPLES_COEXIST_DEPARTURE_H_
#define EXAMPLES_COEXIST_DEPARTURE_H_

#include <string>

namespace coexist {

struct Departure {
  std::string text;    // what happened, to be shown
  bool clean = false;  // all shut down, and no mapping of theirs is left
};

// Shuts all instances down. No other thread may use them, and nothing may live
// in them.
Departure ShutDown();

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_DEPARTURE_H_
