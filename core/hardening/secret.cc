#include "core/hardening/secret.h"

#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

ALCOVE_COLD uint64_t Secret::Make() {
  uint64_t value = 0;
  // Where the system gives none, what differs from one run to the next: the time,
  // and where it put this object and the stack.
  if (!platform::Entropy(&value, sizeof(value)))
    value =
        Mix(platform::Ticks() ^ Mix(AddressOf(this) ^ Mix(AddressOf(&value))));
  if (value == 0) value = 1;
  uint64_t expected = 0;
  // Of several threads that come here, one is the first.
  return value_.CompareExchange(expected, value, Order::kRelaxed) ? value
                                                                  : expected;
}

}  // namespace ALCOVE_CORE_NAMESPACE
