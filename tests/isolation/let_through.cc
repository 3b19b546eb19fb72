#include "tests/isolation/let_through.h"

asm(R"(
  .text
  .globl isolation_let_through
  .globl isolation_let_through_end
  .type isolation_let_through, @function
isolation_let_through:
  mov %rdi, %rax
  mov %rsi, %r11
  mov 0(%r11), %rdi
  mov 8(%r11), %rsi
  mov 16(%r11), %rdx
  mov 24(%r11), %r10
  mov 32(%r11), %r8
  mov 40(%r11), %r9
  syscall
isolation_let_through_end:
  ret
  .size isolation_let_through, . - isolation_let_through
)");
