#include "core/hardening/foreign_owner.h"

namespace ALCOVE_CORE_NAMESPACE {

constinit Atomic<ForeignOwnerHook> g_foreign_owner_hook;

ALCOVE_COLD void NameForeignOwner(const void* address, TextLine* line) {
  const ForeignOwnerHook hook = g_foreign_owner_hook.Load(Order::kAcquire);
  if (hook == nullptr) return;
  char text[256];
  const size_t size = hook(address, text, sizeof(text) - 1);
  if (size == 0 || size >= sizeof(text)) return;
  text[size] = '\0';
  line->Text(": it belongs to ").Text(text);
}

}  // namespace ALCOVE_CORE_NAMESPACE
