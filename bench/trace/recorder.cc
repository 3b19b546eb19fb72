// Records what a program asks its malloc for:
//
//   ALCOVE_TRACE=/tmp/x LD_PRELOAD=.../librecorder.so <program>
//
// writes /tmp/x.<pid>.raw for the program and for each that it starts; `pack`
// makes a trace of one of them. The program gets its blocks from the malloc
// that it would have had. A thread that exists only between fork and exec is
// not recorded, nor is what happens before this library's constructor.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/trace/raw_event.h"

namespace {

using bench::RawEvent;
using bench::RawKind;

// The file is as long as this many events, and takes the disk of those written.
constexpr uint64_t kEventsMax = uint64_t{1} << 26;

// The malloc that the program would have had.
struct Real {
  void* (*malloc)(size_t);
  void* (*calloc)(size_t, size_t);
  void* (*realloc)(void*, size_t);
  void* (*aligned_alloc)(size_t, size_t);
  void* (*memalign)(size_t, size_t);
  int (*posix_memalign)(void**, size_t, size_t);
  void (*free)(void*);
};
Real real;
std::atomic<bool> ready{false};

// dlsym allocates in some releases of glibc: from here, for good.
alignas(16) char early[1 << 16];
size_t early_used = 0;

bool IsEarly(const void* block) {
  return block >= early && block < early + sizeof(early);
}

void* EarlyAllocate(size_t size) {
  const size_t rounded = (size + 15) / 16 * 16;
  if (size > sizeof(early) || rounded > sizeof(early) - early_used) abort();
  void* const block = early + early_used;
  early_used += rounded;
  return block;
}

template <typename Function>
void Look(const char* name, Function** function) {
  *function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  if (*function == nullptr) abort();
}

// True once the real functions are known. The first call comes from the dynamic
// linker, when there is one thread; what looking them up allocates gets false.
bool Ready() {
  if (ready.load(std::memory_order_acquire)) return true;
  static bool looking = false;
  if (looking) return false;
  looking = true;
  Look("malloc", &real.malloc);
  Look("calloc", &real.calloc);
  Look("realloc", &real.realloc);
  Look("aligned_alloc", &real.aligned_alloc);
  Look("memalign", &real.memalign);
  Look("posix_memalign", &real.posix_memalign);
  Look("free", &real.free);
  ready.store(true, std::memory_order_release);
  return true;
}

RawEvent* events = nullptr;
std::atomic<uint64_t> next{0};
std::atomic<bool> recording{false};

__attribute__((tls_model("initial-exec"))) thread_local uint32_t thread_id = 0;

// `order` is the number of the event, taken at the moment that counts.
uint64_t Order() {
  return recording.load(std::memory_order_relaxed) ? next.fetch_add(1)
                                                   : kEventsMax;
}

void Record(uint64_t order, RawKind kind, const void* address, size_t size,
            unsigned alignment = 0) {
  if (order >= kEventsMax) return;
  if (thread_id == 0) thread_id = static_cast<uint32_t>(syscall(SYS_gettid));
  RawEvent& event = events[order];
  event.thread = thread_id;
  event.alignment = static_cast<uint16_t>(alignment);
  event.size = size;
  event.address = reinterpret_cast<uintptr_t>(address);
  __atomic_store_n(&event.kind, kind, __ATOMIC_RELEASE);
}

// For what makes a block: afterwards, when the address is the caller's.
void* Made(void* block, RawKind kind, size_t size, unsigned alignment = 0) {
  if (block != nullptr) {
    const int saved = errno;
    Record(Order(), kind, block, size, alignment);
    errno = saved;
  }
  return block;
}

unsigned Logarithm(size_t alignment) {
  return alignment == 0 ? 0 : static_cast<unsigned>(__builtin_ctzl(alignment));
}

__attribute__((constructor)) void Start() {
  const char* const path = getenv("ALCOVE_TRACE");
  if (path == nullptr || *path == '\0') return;
  char name[4096];
  snprintf(name, sizeof(name), "%s.%d.raw", path, static_cast<int>(getpid()));
  const int file = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0 || ftruncate(file, kEventsMax * sizeof(RawEvent)) != 0) {
    fprintf(stderr, "recorder: cannot write %s: %s\n", name, strerror(errno));
    _exit(1);
  }
  void* const map = mmap(nullptr, kEventsMax * sizeof(RawEvent),
                         PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (map == MAP_FAILED) {
    fprintf(stderr, "recorder: cannot map %s: %s\n", name, strerror(errno));
    _exit(1);
  }
  events = static_cast<RawEvent*>(map);
  // A child's blocks are copies of the parent's, and the file is the parent's.
  pthread_atfork(nullptr, nullptr, [] { recording.store(false); });
  recording.store(true);
}

}  // namespace

extern "C" {

void* malloc(size_t size) noexcept {
  if (!Ready()) return EarlyAllocate(size);
  return Made(real.malloc(size), RawKind::kMalloc, size);
}

void* calloc(size_t count, size_t size) noexcept {
  if (!Ready()) return EarlyAllocate(count * size);
  return Made(real.calloc(count, size), RawKind::kCalloc, count * size);
}

void free(void* block) noexcept {
  if (block == nullptr || IsEarly(block) || !Ready()) return;
  // Before, while nobody else can get the address.
  Record(Order(), RawKind::kFree, block, 0);
  real.free(block);
}

void* realloc(void* block, size_t size) noexcept {
  if (block == nullptr) return malloc(size);
  if (size == 0) {
    free(block);
    return nullptr;
  }
  if (!Ready()) return EarlyAllocate(size);
  if (IsEarly(block)) {
    void* const moved = malloc(size);
    const size_t left =
        static_cast<size_t>(early + sizeof(early) - static_cast<char*>(block));
    if (moved != nullptr) memcpy(moved, block, size < left ? size : left);
    return moved;
  }
  Record(Order(), RawKind::kReallocBegin, block, 0);
  void* const moved = real.realloc(block, size);
  const int saved = errno;
  Record(Order(), RawKind::kReallocEnd, moved, moved == nullptr ? 0 : size);
  errno = saved;
  return moved;
}

void* reallocarray(void* block, size_t count, size_t size) noexcept {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return realloc(block, bytes);
}

void* aligned_alloc(size_t alignment, size_t size) noexcept {
  if (!Ready()) return EarlyAllocate(size);
  return Made(real.aligned_alloc(alignment, size), RawKind::kAligned, size,
              Logarithm(alignment));
}

void* memalign(size_t alignment, size_t size) noexcept {
  if (!Ready()) return EarlyAllocate(size);
  return Made(real.memalign(alignment, size), RawKind::kAligned, size,
              Logarithm(alignment));
}

int posix_memalign(void** block, size_t alignment, size_t size) noexcept {
  if (!Ready()) return ENOMEM;
  const int error = real.posix_memalign(block, alignment, size);
  if (error == 0) Made(*block, RawKind::kAligned, size, Logarithm(alignment));
  return error;
}

void* valloc(size_t size) noexcept {
  return memalign(static_cast<size_t>(getpagesize()), size);
}

}  // extern "C"
