#ifndef TESTS_CONTRACT_PLAIN_USER_H_
#define TESTS_CONTRACT_PLAIN_USER_H_

bool UseWithoutExceptions();

// Asks an allocator for more than there can be.
void FailWithoutExceptions();

#endif  // TESTS_CONTRACT_PLAIN_USER_H_
