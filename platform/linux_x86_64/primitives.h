// The out-of-line primitives of platform.h on Linux, x86_64. Their contract
// stands there; they have a namespace of their own so that the fake platform of
// the tests can stand between.
#ifndef ALCOVE_PLATFORM_LINUX_X86_64_PRIMITIVES_H_
#define ALCOVE_PLATFORM_LINUX_X86_64_PRIMITIVES_H_

#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace linux_x86_64 {

size_t PageSize();
void* Reserve(size_t size, size_t alignment);
bool Commit(void* address, size_t size);
void* Map(size_t size);
void* MapWipedByFork(size_t size);
bool Unmap(void* address, size_t size);
bool Purge(void* address, size_t size);
void ZeroPages(void* address, size_t size);
bool MovePages(void* to, void* from, size_t size);
bool Refresh(void* address, size_t size);
bool Protect(void* address, size_t size);
void AdviseHugePages(void* address, size_t size);
bool IsWritable(void* address, size_t size);
bool IsReadable(const void* address);
bool Entropy(void* bytes, size_t size);
ProcessId CurrentProcess();
ThreadId CurrentThread();
bool ThreadMayBeAlive(ThreadId thread);
bool SharesMemory(ProcessId process);
void Yield();
bool Wait(const uint32_t* word, uint32_t expected, uint64_t milliseconds);
void Wake(const uint32_t* word);
uint64_t Milliseconds();
void WriteError(const char* text, size_t size);
[[noreturn]] void Abort();

}  // namespace linux_x86_64
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_PLATFORM_LINUX_X86_64_PRIMITIVES_H_
