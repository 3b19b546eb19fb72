// A kernel that refuses one kind of system call, to the calling thread alone.
#ifndef TESTS_ISOLATION_REFUSAL_H_
#define TESTS_ISOLATION_REFUSAL_H_

#include <cstddef>

namespace isolation {

// Whether this system lets a process filter its own system calls, by trying it
// in a child.
bool CanRefuse();

// From here on each call of this number that the calling thread makes, or a
// thread that it starts, returns ENOMEM. There is no way back, but the other
// threads go on as they were. False if the system does not let us.
bool RefuseToThisThread(long number);

// The same, but each call is judged: it is carried out or refused as JudgeCalls
// says last, which begins with none refused.
bool JudgeThisThread(long number);

// Of the calls that follow, counted from 1, those from `first` to `last` are
// refused. Returns how many there were since it was called before.
size_t JudgeCalls(size_t first, size_t last);

}  // namespace isolation

#endif  // TESTS_ISOLATION_REFUSAL_H_
