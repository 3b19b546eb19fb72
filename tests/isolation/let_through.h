// Where handlers of SIGSYS make the calls that a filter sent them: the filter
// lets through what comes from here.
#ifndef TESTS_ISOLATION_LET_THROUGH_H_
#define TESTS_ISOLATION_LET_THROUGH_H_

#include <stdint.h>

extern "C" {
// Returns what the kernel does: a negated error number, or a result.
int64_t isolation_let_through(int64_t number, const int64_t* arguments);
// What the filter sees as the instruction pointer.
extern const char isolation_let_through_end[];
}

#endif  // TESTS_ISOLATION_LET_THROUGH_H_
