// Counts the system calls of a piece of code, by number: the kernel stops the
// thread at each, and a handler carries it out. What the thread does otherwise
// is not changed.
#ifndef TESTS_ISOLATION_SYSCALL_COUNTER_H_
#define TESTS_ISOLATION_SYSCALL_COUNTER_H_

#include <cstddef>
#include <functional>
#include <string>

namespace isolation {

// From now on the calling thread's system calls are counted, for as long as it
// lives: a thread for the purpose, or a child process. False if the kernel does
// not let us.
bool CountSyscallsOfThisThread();

// How many this thread made since, or while `work` ran. It must not make or
// join threads, nor return from main.
size_t SyscallsSoFar();
size_t SyscallsDuring(const std::function<void()>& work);

// Those of the last SyscallsDuring, such as "28 2 times, 11 once".
std::string LastSyscalls();

}  // namespace isolation

#endif  // TESTS_ISOLATION_SYSCALL_COUNTER_H_
