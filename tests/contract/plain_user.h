#ifndef TESTS_CONTRACT_PLAIN_USER_H_
#define TESTS_CONTRACT_PLAIN_USER_H_

bool UseWithoutExceptions();
bool UseArenasWithoutExceptions();

// Asks an allocator for more than there can be.
void FailWithoutExceptions();

// Asks an arena for more than its quota.
void FailInAnArenaWithoutExceptions();

#endif  // TESTS_CONTRACT_PLAIN_USER_H_
