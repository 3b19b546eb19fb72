// A program with an instance and the registry, to be linked in every way; says
// by its exit code whether the one finds the other. Without libc too.
#include "registry/registry.h"
#include "tests/registry/a_heap.h"

namespace {

bool IsPrefix(const char* prefix) {
  return prefix[0] == 'a' && prefix[1] == '_' && prefix[2] == '\0';
}

alcove_instance_entry g_entries[4];

int Run() {
  if (a_version()[0] == '\0') return 1;
  const long count = alcove_registry_list(g_entries, 4);
  if (count != 1) return 2;
  if (g_entries[0].status != ALCOVE_INSTANCE_KNOWN ||
      !IsPrefix(g_entries[0].prefix)) {
    return 3;
  }
  if (alcove_registry_owner_of(&g_entries, nullptr) != 0) return 4;
#if !defined(PROGRAM_WITHOUT_LIBC)
  void* const block = a_malloc(100);
  if (alcove_registry_owner_of(block, &g_entries[1]) != 1 ||
      !IsPrefix(g_entries[1].prefix) ||
      alcove_registry_owner_among(g_entries, 1, block, nullptr) != 1) {
    return 5;
  }
  a_free(block);
  if (a_shutdown() != 0 || alcove_registry_owner_of(block, nullptr) != 0)
    return 6;
#endif
  return 0;
}

}  // namespace

#if defined(PROGRAM_WITHOUT_LIBC)

// There is no thread pointer, so nothing of the instance is called that needs
// one. What a compiler may call by itself is the program's to bring.
extern "C" void* memset(void* to, int byte, size_t size) {
  for (size_t i = 0; i < size; ++i)
    static_cast<volatile char*>(to)[i] = static_cast<char>(byte);
  return to;
}
extern "C" void* memcpy(void* to, const void* from, size_t size) {
  for (size_t i = 0; i < size; ++i)
    static_cast<volatile char*>(to)[i] = static_cast<const char*>(from)[i];
  return to;
}

extern "C" [[noreturn]] void Begin() {
  const long code = Run();
  for (;;)
    asm volatile("syscall" : : "a"(231L), "D"(code) : "rcx", "r11", "memory");
}

asm(R"(
  .globl _start
_start:
  xor %ebp, %ebp
  and $-16, %rsp
  call Begin
)");

#else

int main() { return Run(); }

#endif
