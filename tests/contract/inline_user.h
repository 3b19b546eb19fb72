#ifndef TESTS_CONTRACT_INLINE_USER_H_
#define TESTS_CONTRACT_INLINE_USER_H_

bool UseInlined();

// Asks an allocator for more than there can be.
void FailInlined();

#endif  // TESTS_CONTRACT_INLINE_USER_H_
