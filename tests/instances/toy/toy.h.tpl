// {NAME} {PREFIX} {NAMESPACE} {VERSION} {LABEL}
#ifndef TOY_{PREFIX}H_
#define TOY_{PREFIX}H_

#include <stddef.h>

#if defined(__cplusplus)
extern "C" {
#endif

// How often it was called, by this instance's count.
int {PREFIX}count(void);
const char* {PREFIX}config(void);
// Copies the bytes and returns what knob `depth` is.
int {PREFIX}copy(void* to, const void* from, size_t size);

#if defined(__cplusplus)
}
namespace {NAMESPACE} {
inline int Count() { return {PREFIX}count(); }
}
#endif
#endif
