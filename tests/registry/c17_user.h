/* The registry as C uses it. */
#ifndef TESTS_REGISTRY_C17_USER_H_
#define TESTS_REGISTRY_C17_USER_H_

#ifdef __cplusplus
extern "C" {
#endif

/* How many instances there are; -1 if none owns the address. */
long registry_c17_count(const void* address);

long (*registry_c17_attach(void))(void);

#ifdef __cplusplus
}
#endif

#endif /* TESTS_REGISTRY_C17_USER_H_ */
