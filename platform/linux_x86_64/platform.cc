// Binds the contract of platform.h to this platform.
#include "platform/platform.h"

#include "platform/linux_x86_64/primitives.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {

size_t PageSize() { return linux_x86_64::PageSize(); }
void* Reserve(size_t size, size_t alignment) {
  return linux_x86_64::Reserve(size, alignment);
}
bool Commit(void* address, size_t size) {
  return linux_x86_64::Commit(address, size);
}
void* Map(size_t size) { return linux_x86_64::Map(size); }

void* MapWipedByFork(size_t size) { return linux_x86_64::MapWipedByFork(size); }
bool Unmap(void* address, size_t size) {
  return linux_x86_64::Unmap(address, size);
}
bool Purge(void* address, size_t size) {
  return linux_x86_64::Purge(address, size);
}
void ZeroPages(void* address, size_t size) {
  linux_x86_64::ZeroPages(address, size);
}
bool MovePages(void* to, void* from, size_t size) {
  return linux_x86_64::MovePages(to, from, size);
}
bool Refresh(void* address, size_t size) {
  return linux_x86_64::Refresh(address, size);
}
bool Protect(void* address, size_t size) {
  return linux_x86_64::Protect(address, size);
}
void AdviseHugePages(void* address, size_t size) {
  linux_x86_64::AdviseHugePages(address, size);
}
bool IsWritable(void* address, size_t size) {
  return linux_x86_64::IsWritable(address, size);
}
bool IsReadable(const void* address) {
  return linux_x86_64::IsReadable(address);
}
bool Entropy(void* bytes, size_t size) {
  return linux_x86_64::Entropy(bytes, size);
}
ProcessId CurrentProcess() { return linux_x86_64::CurrentProcess(); }
ThreadId CurrentThread() { return linux_x86_64::CurrentThread(); }
bool ThreadMayBeAlive(ThreadId thread) {
  return linux_x86_64::ThreadMayBeAlive(thread);
}
bool SharesMemory(ProcessId process) {
  return linux_x86_64::SharesMemory(process);
}
void Yield() { linux_x86_64::Yield(); }
bool Wait(const uint32_t* word, uint32_t expected, uint64_t milliseconds) {
  return linux_x86_64::Wait(word, expected, milliseconds);
}
void Wake(const uint32_t* word) { linux_x86_64::Wake(word); }
uint64_t Milliseconds() { return linux_x86_64::Milliseconds(); }
void WriteError(const char* text, size_t size) {
  linux_x86_64::WriteError(text, size);
}
void Abort() { linux_x86_64::Abort(); }

}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
