// A program without libc and without a C++ runtime: its own entry point, its
// own threads, made by the system call clone, each with its own copy of the
// program's thread-local variables; and processes that share its memory. All that
// it links with is two instances.
#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/freestanding/far_heap.h"
#include "tests/freestanding/near_heap.h"
#include "tests/freestanding/work.h"

DEFINE_INSTANCE(near_)
DEFINE_INSTANCE(far_)

enum {
  kSysMmap = 9,
  kSysMunmap = 11,
  kSysSchedYield = 24,
  kSysGetpid = 39,
  kSysWait4 = 61,
  kSysArchPrctl = 158,
  kSysFutex = 202,
  kSysExitGroup = 231,
  kSysKcmp = 312,
  kKcmpVm = 1,
  kArchSetFs = 0x1002,
  kProtReadWrite = 3,
  kMapPrivateAnonymous = 0x22,
  kFutexWait = 0,
  kErrorBusy = 16,
  // VM | FS | FILES | SIGHAND | SYSVSEM | SETTLS | PARENT_SETTID |
  // CHILD_CLEARTID, and THREAD; or what waitpid waits for.
  kCloneShared = 0x3c0f00,
  kCloneThread = kCloneShared | 0x10000,
  kCloneProcess = kCloneShared | 17,
};

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                     "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static _Noreturn void end_process(int code) {
  for (;;) call(kSysExitGroup, code, 0, 0, 0, 0, 0);
}

// ---- Thread-local variables ----

// The program's PT_TLS: what a thread's variables begin as.
static struct {
  const unsigned char* image;
  size_t image_size;
  size_t size;
  size_t alignment;
} g_tls;

// What the thread pointer points to: itself. A thread's variables end there (the
// ELF TLS ABI's variant II), so that they have negative offsets.
struct thread {
  struct thread* self;
  // Zeroed by the kernel once the thread will touch no memory any more, and then
  // woken up for: CLONE_CHILD_CLEARTID.
  int32_t id;
  void* stack;
};

enum { kStackSize = 256 * 1024 };

// Puts a thread's variables and its `struct thread` at the end of a stack.
static struct thread* set_up_tls(char* stack) {
  uintptr_t at = (uintptr_t)stack + kStackSize - sizeof(struct thread);
  const size_t alignment = g_tls.alignment < 64 ? 64 : g_tls.alignment;
  at &= ~(uintptr_t)(alignment - 1);
  struct thread* const thread = (struct thread*)at;
  // The block's start is congruent to the segment's, modulo its alignment.
  volatile unsigned char* const variables =
      (volatile unsigned char*)(at - (g_tls.size + g_tls.alignment - 1) /
                                         g_tls.alignment * g_tls.alignment);
  for (size_t i = 0; i < g_tls.image_size; ++i) variables[i] = g_tls.image[i];
  // The mapping's zeroes are the rest of them.
  thread->self = thread;
  thread->stack = stack;
  return thread;
}

// ---- Threads ----

// clone(flags, stack, parent_tid, child_tid, tls) and, in the new thread,
// work(argument) and exit. In assembly, since the two threads come back from the
// system call to the same code with different stacks.
long start_thread(void* stack, int32_t* id, void* tls, void (*work)(void*),
                  void* argument, long flags);
__asm__(
    ".globl start_thread\n"
    "start_thread:\n"
    "  sub $16, %rdi\n"
    "  mov %rcx, (%rdi)\n"  // work and
    "  mov %r8, 8(%rdi)\n"  // its argument, on the new stack
    "  mov %rdx, %r8\n"     // tls
    "  mov %rsi, %rdx\n"    // parent_tid
    "  mov %rsi, %r10\n"    // child_tid
    "  mov %rdi, %rsi\n"    // stack
    "  mov %r9, %rdi\n"     // flags
    "  mov $56, %eax\n"
    "  syscall\n"
    "  test %rax, %rax\n"
    "  jnz 1f\n"
    "  xor %ebp, %ebp\n"
    "  pop %rax\n"
    "  pop %rdi\n"
    "  call *%rax\n"
    "  mov $60, %eax\n"  // exit, of this thread alone
    "  xor %edi, %edi\n"
    "  syscall\n"
    "  hlt\n"
    "1:\n"
    "  ret\n");

static void* start_by(void (*work)(void*), void* argument, long flags) {
  char* const stack = (char*)call(kSysMmap, 0, kStackSize, kProtReadWrite,
                                  kMapPrivateAnonymous, -1, 0);
  if ((uintptr_t)stack > (uintptr_t)-4096) return NULL;
  struct thread* const thread = set_up_tls(stack);
  // Below the variables, on a boundary of 16 bytes as a call expects it.
  const uintptr_t top =
      ((uintptr_t)thread - g_tls.size - 4096) & ~(uintptr_t)15;
  const long id =
      start_thread((void*)top, &thread->id, thread, work, argument, flags);
  return id > 0 ? thread : NULL;
}

static void* start(void (*work)(void*), void* argument) {
  return start_by(work, argument, kCloneThread);
}

static void* start_process(void (*work)(void*), void* argument) {
  return start_by(work, argument, kCloneProcess);
}

static void join(void* handle) {
  struct thread* const thread = (struct thread*)handle;
  for (;;) {
    const int32_t id = __atomic_load_n(&thread->id, __ATOMIC_ACQUIRE);
    if (id == 0) break;
    // Not the private kind of futex: the kernel wakes up by the other one.
    call(kSysFutex, (long)&thread->id, kFutexWait, id, 0, 0, 0);
  }
  call(kSysMunmap, (long)thread->stack, kStackSize, 0, 0, 0, 0);
}

static void join_process(void* handle) {
  join(handle);
  call(kSysWait4, -1, 0, 0, 0, 0, 0);
}

static void yield(void) { call(kSysSchedYield, 0, 0, 0, 0, 0, 0); }

// ---- The program ----

static _Thread_local int g_mine = 7;  // beside those of the instances

static void look_at_tls(void* argument) { *(int*)argument = g_mine++; }

// Holds a heap for as long as it is told.
static int g_stage;
static void hold_a_heap(void* block) {
  *(void**)block = near_malloc(100);
  __atomic_store_n(&g_stage, 1, __ATOMIC_RELEASE);
  while (__atomic_load_n(&g_stage, __ATOMIC_ACQUIRE) == 1) yield();
  near_free(*(void**)block);
}

static int run_in_processes(void) {
  const struct instance near = INSTANCE(near_);
  const struct instance far = INSTANCE(far_);
  // What one of them had is not taken over by the next.
  const struct threads processes = {start_process, join_process, yield, 0};
  const int line = run_work(&near, &far, &processes);
  if (line != 0) return line;
  void* block = NULL;
  void* const process = start_process(hold_a_heap, &block);
  if (process == NULL) return 6;
  while (__atomic_load_n(&g_stage, __ATOMIC_ACQUIRE) == 0) yield();
  const int busy = near_shutdown();
  __atomic_store_n(&g_stage, 2, __ATOMIC_RELEASE);
  join_process(process);
  if (block == NULL) return 7;
  // Where the system does not say who shares memory, nobody seems to.
  const long self = call(kSysGetpid, 0, 0, 0, 0, 0, 0);
  const int may_ask = call(kSysKcmp, self, self, kKcmpVm, 0, 0, 0) == 0;
  if (busy != kErrorBusy && may_ask) return 8;
  return near_shutdown() == 0 ? 0 : 9;
}

static int run(void) {
  const struct instance near = INSTANCE(near_);
  const struct instance far = INSTANCE(far_);
  const struct threads threads = {start, join, yield, 1};
  for (int i = 0; i < 2; ++i) {
    int seen = 0;
    void* const thread = start(look_at_tls, &seen);
    if (thread == NULL) return 2;
    join(thread);
    if (seen != 7) return 3;  // not a copy of its own
  }
  // Twice: what a shutdown leaves is as in the beginning.
  for (int i = 0; i < 2; ++i) {
    const int line = run_work(&near, &far, &threads);
    if (line != 0) return line;  // of work.c, from 10 on
  }
  return run_in_processes();
}

// `stack` is as the kernel leaves it: argc, argv, null, environment, null,
// auxiliary vector.
_Noreturn void begin(const uint64_t* stack) {
  static char first_stack[kStackSize] __attribute__((aligned(4096)));
  const uint64_t* at = stack + 1 + *stack + 1;
  while (*at++ != 0) {
  }
  const Elf64_Phdr* headers = NULL;
  uint64_t count = 0;
  for (; at[0] != AT_NULL; at += 2) {
    if (at[0] == AT_PHDR) headers = (const Elf64_Phdr*)at[1];
    if (at[0] == AT_PHNUM) count = at[1];
  }
  g_tls.alignment = 1;
  for (uint64_t i = 0; i < count; ++i) {
    if (headers[i].p_type != PT_TLS) continue;
    g_tls.image = (const unsigned char*)headers[i].p_vaddr;
    g_tls.image_size = headers[i].p_filesz;
    g_tls.size = headers[i].p_memsz;
    g_tls.alignment = headers[i].p_align;
  }
  // The first thread has its stack from the kernel; only the end of this one
  // is used.
  struct thread* const thread = set_up_tls(first_stack);
  if (call(kSysArchPrctl, kArchSetFs, (long)thread, 0, 0, 0, 0) != 0)
    end_process(5);
  end_process(run());
}

__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call begin\n");
