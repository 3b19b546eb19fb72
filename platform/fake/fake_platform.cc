// The fake binding of platform.h.
#include "platform/fake/control.h"
#include "platform/linux_x86_64/primitives.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {

namespace {

using fake::CountMapped;
using fake::Enter;
using fake::Primitive;

// A word of each page is enough to be noticed.
void Spoil(void* address, size_t size) {
  const size_t page = linux_x86_64::PageSize();
  for (size_t at = 0; at < size; at += page) {
    *reinterpret_cast<uint64_t*>(static_cast<char*>(address) + at) =
        0xdbdbdbdbdbdbdbdb;
  }
}

}  // namespace

size_t PageSize() {
  Enter(Primitive::kPageSize, 0);
  return linux_x86_64::PageSize();
}

void* Reserve(size_t size, size_t alignment) {
  if (Enter(Primitive::kReserve, size)) return nullptr;
  void* const address = linux_x86_64::Reserve(size, alignment);
  if (address != nullptr) CountMapped(static_cast<int64_t>(size));
  return address;
}

bool Commit(void* address, size_t size) {
  if (Enter(Primitive::kCommit, size)) return false;
  return linux_x86_64::Commit(address, size);
}

void* Map(size_t size) {
  if (Enter(Primitive::kMap, size)) return nullptr;
  void* const address = linux_x86_64::Map(size);
  if (address != nullptr) CountMapped(static_cast<int64_t>(size));
  return address;
}

void* MapWipedByFork(size_t size) {
  if (Enter(Primitive::kMapWipedByFork, size)) return nullptr;
  void* const address = linux_x86_64::MapWipedByFork(size);
  if (address != nullptr) CountMapped(static_cast<int64_t>(size));
  return address;
}

bool Unmap(void* address, size_t size) {
  if (Enter(Primitive::kUnmap, size) || !linux_x86_64::Unmap(address, size))
    return false;
  CountMapped(-static_cast<int64_t>(size));
  return true;
}

bool Purge(void* address, size_t size) {
  if (Enter(Primitive::kPurge, size)) {
    Spoil(address, size);
    return false;
  }
  return linux_x86_64::Purge(address, size);
}

void ZeroPages(void* address, size_t size) {
  Enter(Primitive::kZeroPages, size);
  linux_x86_64::ZeroPages(address, size);
}

bool MovePages(void* to, void* from, size_t size) {
  if (Enter(Primitive::kMovePages, size)) {
    Spoil(to, size);
    return false;
  }
  return linux_x86_64::MovePages(to, from, size);
}

bool Refresh(void* address, size_t size) {
  if (Enter(Primitive::kRefresh, size)) {
    Spoil(address, size);
    return false;
  }
  return linux_x86_64::Refresh(address, size);
}

bool Protect(void* address, size_t size) {
  if (Enter(Primitive::kProtect, size)) return false;
  return linux_x86_64::Protect(address, size);
}

void AdviseHugePages(void* address, size_t size) {
  if (!Enter(Primitive::kAdviseHugePages, size))
    linux_x86_64::AdviseHugePages(address, size);
}

bool IsWritable(void* address, size_t size) {
  Enter(Primitive::kIsWritable, size);
  return linux_x86_64::IsWritable(address, size);
}

bool IsReadable(const void* address) {
  if (Enter(Primitive::kIsReadable, 0)) return false;
  return linux_x86_64::IsReadable(address);
}

bool Entropy(void* bytes, size_t size) {
  if (Enter(Primitive::kEntropy, size)) {
    for (size_t i = 0; i < size; ++i) static_cast<unsigned char*>(bytes)[i] = 0;
    return false;
  }
  return linux_x86_64::Entropy(bytes, size);
}

ProcessId CurrentProcess() {
  Enter(Primitive::kCurrentProcess, 0);
  const ProcessId process = fake::FakeProcess();
  return process != 0 ? process : linux_x86_64::CurrentProcess();
}

ThreadId CurrentThread() {
  Enter(Primitive::kCurrentThread, 0);
  const ThreadId identity = fake::FakeIdentity();
  return identity != 0 ? identity : linux_x86_64::CurrentThread();
}

bool ThreadMayBeAlive(ThreadId thread) {
  if (Enter(Primitive::kThreadMayBeAlive, 0)) return true;
  bool alive;
  if (fake::DeclaredLife(thread, &alive)) return alive;
  if (linux_x86_64::ThreadMayBeAlive(thread)) return true;
  fake::HearFarewells();
  return false;
}

bool SharesMemory(ProcessId process) {
  if (Enter(Primitive::kSharesMemory, 0)) return false;
  return linux_x86_64::SharesMemory(process);
}

void Yield() {
  Enter(Primitive::kYield, 0);
  linux_x86_64::Yield();
}

bool Wait(const uint32_t* word, uint32_t expected, uint64_t milliseconds) {
  Enter(Primitive::kWait, 0);
  return linux_x86_64::Wait(word, expected, milliseconds);
}

void Wake(const uint32_t* word) {
  Enter(Primitive::kWake, 0);
  linux_x86_64::Wake(word);
}

uint64_t Milliseconds() {
  Enter(Primitive::kMilliseconds, 0);
  uint64_t now;
  return fake::FakeTime(&now) ? now : linux_x86_64::Milliseconds();
}

void WriteError(const char* text, size_t size) {
  Enter(Primitive::kWriteError, size);
  linux_x86_64::WriteError(text, size);
}

void Abort() {
  Enter(Primitive::kAbort, 0);
  linux_x86_64::Abort();
}

}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
