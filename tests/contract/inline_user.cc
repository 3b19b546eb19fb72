// The inline header, first and alone, without exceptions and without RTTI; in
// one program with files that include the thin one.
#include "tests/contract/default_heap_inline.h"
// Twice, since any header may be; and the thin one after it.
#include "tests/contract/default_heap.h"
#include "tests/contract/default_heap_inline.h"
// Two instances in one translation unit.
#include "tests/contract/hosted_heap_inline.h"
#include "tests/contract/inline_user.h"

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "the point is to have neither"
#endif

bool UseInlined() {
  namespace first = contract_default::inlined;
  namespace second = contract_hosted::inlined;
  for (int round = 0; round < 2; ++round) {
    int* const mine = first::allocate<int>();
    void* const other = second::allocate<100>();
    if (contract_default_owns(mine) == 0 || contract_hosted_owns(mine) != 0 ||
        contract_hosted_owns(other) == 0) {
      return false;
    }
    first::deallocate<int>(mine);
    second::deallocate_trusted<100>(other);
    if (*first::make<int>(round) != round) return false;
    // Both headers' allocators, on the same instance.
    contract_default::allocator<int> thin;
    first::allocator<int> inlined;
    thin.deallocate(inlined.allocate(1), 1);
    inlined.deallocate(thin.allocate(1), 1);
  }
  return contract_default_shutdown() == 0 && contract_hosted_shutdown() == 0;
}

void FailInlined() {
  (void)contract_default::inlined::allocator<long>().allocate(~std::size_t{0});
}
