// Small programs of which it is known what they may do, for the tests of the
// checker itself.
#ifndef ALCOVE_TESTS_MODEL_LITMUS_H_
#define ALCOVE_TESTS_MODEL_LITMUS_H_

#include "tests/model/model.h"

namespace alcove_model {

// Each fails where the outcome that its name promises is found. The orders are
// those of the stores and of the loads.

// A message behind a flag is found to be torn: a data race.
Result MessagePassing(int store, int load);
// The same, where the flag is handed on by another thread's addition.
Result ReleaseSequence(int add);
// Two threads store, each to its own word, and both miss the other's store.
Result StoreBuffering(int store, int load);
// Two threads read each a value that depends on the other's later store.
Result LoadBuffering();
// Two threads store to two words, in opposite orders, and both first ones last.
Result TwoPlusTwoWrites();
// Two readers see two threads' stores in different orders.
Result IndependentReads(int store, int load);
// A second read of a word finds an older value than the first.
Result Coherence();
// Two threads count, and one count is lost.
Result Counter(bool add);
// A thread reads what another one has given back, unless it has been told that
// nobody does any more.
Result GivenBack(bool told);
// A thread is stopped between two writes that belong together, and somebody
// finds them so; with a word that says whether they are whole, nobody does.
Result StoppedBetween(bool says);
// A thread waits for one that was stopped.
Result WaitForStopped(bool asks);
// A child of fork finds another thread's two writes half done.
Result ForkBetween();
// A store and no more, by `threads` threads: to count interleavings.
Result Independent(unsigned threads);

}  // namespace alcove_model

#endif  // ALCOVE_TESTS_MODEL_LITMUS_H_
