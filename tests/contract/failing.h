// How a case begins and ends in which the system refuses something. Each is a
// child process, which ends with 0 if all went well.
#ifndef TESTS_CONTRACT_FAILING_H_
#define TESTS_CONTRACT_FAILING_H_

#include <cstddef>

#include "tests/contract/stock.h"
#include "tests/contract/subject.h"

namespace contract {

// How many calls a Stock makes in a part of a case.
inline constexpr size_t kCalls = 120;

subject::Stats CountNow();

// Remembers what is mapped.
void Begin();

// Verifies what there is, goes on with so many calls, of which none may be
// refused now, frees everything and shuts the instance down.
// `leaves_nothing`: what is mapped has to be what it was.
void Finish(Stock* one, Stock* other, size_t calls, bool leaves_nothing);

[[noreturn]] void End(Stock* one, Stock* other, bool leaves_nothing);

}  // namespace contract

#endif  // TESTS_CONTRACT_FAILING_H_
