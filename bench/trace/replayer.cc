#include "bench/trace/replayer.h"

#include <pthread.h>
#include <sched.h>

#include <cstdlib>
#include <cstring>

namespace bench {

namespace {

constexpr size_t kPage = 4096;

uint64_t Stamp(uint32_t block) { return block * 0x9e3779b97f4a7c15 + 1; }

void Touch(char* block, uint64_t size, uint32_t number) {
  if (size == 0) return;
  for (uint64_t i = 0; i < size; i += kPage) block[i] = 1;
  block[size - 1] = 1;
  if (size >= sizeof(uint64_t)) {
    const uint64_t stamp = Stamp(number);
    memcpy(block, &stamp, sizeof(stamp));
  }
}

bool IsUntouched(const char* block, uint64_t size, uint32_t number) {
  if (size < sizeof(uint64_t)) return true;
  uint64_t stamp;
  memcpy(&stamp, block, sizeof(stamp));
  return stamp == Stamp(number);
}

}  // namespace

Replayer::Replayer(const Trace& trace)
    : trace_(trace), slots_(trace.blocks), order_(trace.ops.size()) {
  const auto count = static_cast<uint32_t>(trace.ops.size());
  for (uint32_t i = 0; i < count; ++i) ++starts_[trace.ops[i].thread + 1];
  for (unsigned t = 0; t < trace.threads; ++t) starts_[t + 1] += starts_[t];
  uint32_t at[Trace::kThreadsMax];
  memcpy(at, starts_, sizeof(at));
  for (uint32_t i = 0; i < count; ++i) order_[at[trace.ops[i].thread]++] = i;
}

size_t Replayer::own_bytes() const { return slots_.bytes() + order_.bytes(); }

bool Replayer::Fail(const char* why) {
  why_.store(why);
  return false;
}

char* Replayer::Take(uint32_t block, uint64_t* size) {
  Slot& slot = slots_[block];
  char* address = slot.address.load(std::memory_order_acquire);
  while (address == nullptr) {
    // Its maker may have failed.
    if (why_.load(std::memory_order_relaxed) != nullptr) return nullptr;
    sched_yield();
    address = slot.address.load(std::memory_order_acquire);
  }
  *size = slot.size;
  slot.address.store(nullptr, std::memory_order_relaxed);
  if (!IsUntouched(address, *size, block)) {
    Fail("a block did not keep what was written to it");
    return nullptr;
  }
  return address;
}

bool Replayer::Make(const Op& op, char* block) {
  if (block == nullptr) return Fail("out of memory");
  Touch(block, op.size, op.makes);
  Slot& slot = slots_[op.makes];
  slot.size = op.size;
  slot.address.store(block, std::memory_order_release);
  return true;
}

bool Replayer::RunOperation(const Op& op) {
  uint64_t size;
  switch (static_cast<OpKind>(op.kind)) {
    case OpKind::kMalloc:
      return Make(op, static_cast<char*>(malloc(op.size)));
    case OpKind::kCalloc: {
      auto* const block = static_cast<char*>(calloc(1, op.size));
      if (block != nullptr && op.size > 0 &&
          (block[0] != 0 || block[op.size - 1] != 0)) {
        return Fail("calloc's block was not zero");
      }
      return Make(op, block);
    }
    case OpKind::kAligned: {
      void* block = nullptr;
      size_t alignment = size_t{1} << op.alignment;
      if (alignment < sizeof(void*)) alignment = sizeof(void*);
      if (posix_memalign(&block, alignment, op.size) != 0) block = nullptr;
      return Make(op, static_cast<char*>(block));
    }
    case OpKind::kFree: {
      char* const block = Take(op.takes, &size);
      free(block);
      return block != nullptr;
    }
    case OpKind::kRealloc: {
      char* const block = Take(op.takes, &size);
      if (block == nullptr) return false;
      // A size of 0 would free it.
      auto* const moved =
          static_cast<char*>(realloc(block, op.size == 0 ? 1 : op.size));
      if (moved != nullptr && op.size >= sizeof(uint64_t) &&
          !IsUntouched(moved, size, op.takes)) {
        return Fail("realloc did not keep the contents");
      }
      return Make(op, moved);
    }
  }
  return Fail("an operation that is none");
}

void Replayer::RunOperations(unsigned thread) {
  for (uint32_t i = starts_[thread]; i < starts_[thread + 1]; ++i) {
    if (!RunOperation(trace_.ops[order_[i]])) return;
  }
}

void* Replayer::RunThread(void* argument) {
  const auto* const worker = static_cast<const Worker*>(argument);
  worker->replayer->RunOperations(worker->thread);
  return nullptr;
}

bool Replayer::Run() {
  // The first thread is this one.
  Worker workers[Trace::kThreadsMax];
  pthread_t threads[Trace::kThreadsMax];
  unsigned started = 1;
  for (; started < trace_.threads; ++started) {
    workers[started] = {this, started};
    if (pthread_create(&threads[started], nullptr, RunThread,
                       &workers[started]) != 0) {
      Fail("no thread to be had");
      break;
    }
  }
  RunOperations(0);
  for (unsigned t = 1; t < started; ++t) pthread_join(threads[t], nullptr);
  if (why() != nullptr) return false;
  for (uint32_t block = 0; block < trace_.blocks; ++block) {
    if (slots_[block].address.load(std::memory_order_relaxed) == nullptr) {
      continue;
    }
    uint64_t size;
    char* const address = Take(block, &size);
    if (address == nullptr) return false;
    free(address);
  }
  return true;
}

}  // namespace bench
