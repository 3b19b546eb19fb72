// A filter that the kernel holds a thread to.
#ifndef TESTS_ISOLATION_RESTRICT_H_
#define TESTS_ISOLATION_RESTRICT_H_

#include <vector>

namespace isolation {

// From here on the calling thread, and those it makes, may only make these system
// calls. At any other the process ends with code 2, after "system call <number>" on
// standard error.
void Restrict(const std::vector<unsigned>& allowed);

}  // namespace isolation

#endif  // TESTS_ISOLATION_RESTRICT_H_
