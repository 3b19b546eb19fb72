// A program without libc and without a C++ runtime: its own entry point, its
// own thread pointer. All that it links with is an instance.
#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/isolation/inlined_work.h"
#include "tests/isolation/left_heap_inline.h"
#include "tests/isolation/workload.h"

namespace {

long Call(long number, long a, long b = 0) {
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b)
               : "rcx", "r11", "memory");
  return result;
}

ISOLATION_INLINED(Left, left, left_);

constexpr long kSysArchPrctl = 158;
constexpr long kSysExitGroup = 231;
constexpr long kArchSetFs = 0x1002;

// Static TLS ends where the thread pointer points, and a word that points to
// itself is there (ELF TLS ABI, variant II).
struct alignas(64) ThreadArea {
  unsigned char tls[1024];
  ThreadArea* self_place[8];
};
ThreadArea g_thread;

// Copies the initial image of the program's TLS to where the thread pointer
// expects it.
bool SetUpTls(const Elf64_Phdr* headers, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    const Elf64_Phdr& header = headers[i];
    if (header.p_type != PT_TLS) continue;
    const uint64_t size =
        (header.p_memsz + header.p_align - 1) / header.p_align * header.p_align;
    if (size > sizeof(g_thread.tls) || header.p_align > alignof(ThreadArea))
      return false;
    volatile unsigned char* const to =
        g_thread.tls + sizeof(g_thread.tls) - size;
    const auto* const from =
        reinterpret_cast<const unsigned char*>(header.p_vaddr);
    for (uint64_t b = 0; b < header.p_filesz; ++b) to[b] = from[b];
  }
  g_thread.self_place[0] = reinterpret_cast<ThreadArea*>(&g_thread.self_place);
  return Call(kSysArchPrctl, kArchSetFs,
              reinterpret_cast<long>(&g_thread.self_place)) == 0;
}

int Run() {
  if (!isolation::RunWorkload(ISOLATION_FUNCTIONS(left_))) return 1;
  if (!isolation::RunInlinedWork<Left>()) return 6;
  left_stats_t stats;
  stats.struct_size = sizeof(stats);
  if (left_stats(&stats) != 0 || stats.blocks_live != 0 || stats.threads != 1)
    return 2;
  if (left_shutdown() != 0) return 3;
  if (left_stats(&stats) != 0 || stats.bytes_reserved != 0 ||
      stats.bytes_metadata != 0)
    return 4;
  // And once more from the beginning.
  return isolation::RunWorkload(ISOLATION_FUNCTIONS(left_)) &&
                 left_shutdown() == 0
             ? 0
             : 5;
}

}  // namespace

// `stack` is as the kernel leaves it: argc, argv, null, environment, null,
// auxiliary vector.
extern "C" [[noreturn]] void Begin(const uint64_t* stack) {
  const uint64_t* at = stack + 1 + *stack + 1;
  while (*at++ != 0) {
  }
  const Elf64_Phdr* headers = nullptr;
  uint64_t count = 0;
  for (; at[0] != AT_NULL; at += 2) {
    if (at[0] == AT_PHDR) headers = reinterpret_cast<const Elf64_Phdr*>(at[1]);
    if (at[0] == AT_PHNUM) count = at[1];
  }
  const int code = SetUpTls(headers, count) ? Run() : 10;
  for (;;) Call(kSysExitGroup, code);
}

asm(R"(
  .globl _start
_start:
  xor %ebp, %ebp
  mov %rsp, %rdi
  and $-16, %rsp
  call Begin
)");
