#ifndef TESTS_CONTRACT_C17_USER_H_
#define TESTS_CONTRACT_C17_USER_H_

#if defined(__cplusplus)
extern "C" {
#endif

// 0, or the number of what failed.
int UseFromC(void);

#if defined(__cplusplus)
}
#endif

#endif  // TESTS_CONTRACT_C17_USER_H_
