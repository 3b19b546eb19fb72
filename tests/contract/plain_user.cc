// The public header, first and alone, in C++ without exceptions and without
// RTTI.
#include "tests/contract/default_heap.h"
// Twice, since any header may be.
#include "tests/contract/default_heap.h"
// Two instances in one translation unit.
#include "tests/contract/hosted_heap.h"
#include "tests/contract/plain_user.h"

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "the point is to have neither"
#endif

bool UseWithoutExceptions() {
  contract_default::allocator<int> integers;
  int* const some = integers.allocate(10);
  const bool served =
      contract_default_owns(some) != 0 && contract_hosted_owns(some) == 0;
  integers.deallocate(some, 10);
  std::pmr::memory_resource* const resource = contract_default::resource();
  void* const block = resource->allocate(100);
  const bool too = contract_default_owns(block) != 0 &&
                   resource->is_equal(*resource) &&
                   !resource->is_equal(*contract_hosted::resource());
  resource->deallocate(block, 100);
  return served && too && contract_default_shutdown() == 0;
}

namespace {

struct Base {
  virtual ~Base() = default;
};
struct Derived : Base {
  int more[10];
};

}  // namespace

bool UseArenasWithoutExceptions() {
  contract_default::arena_options options;
  options.name = "plain";
  contract_default::arena arena(options);
  contract_hosted::arena other;
  {
    std::unique_ptr<Base, contract_default::arena_delete<Base>> object =
        arena.make_unique<Derived>();
    const std::shared_ptr<int> shared = arena.make_shared<int>(4);
    if (arena.stats().blocks_live != 2 || *shared != 4) return false;
  }
  std::pmr::memory_resource* const resource = arena.resource();
  void* const block = resource->allocate(100);
  const bool equal = resource->is_equal(*resource) &&
                     !resource->is_equal(*other.resource()) &&
                     !resource->is_equal(*contract_default::resource());
  return equal && contract_default_arena_of(block) == arena.handle() &&
         contract_hosted_arena_of(block) == nullptr;
}

void FailInAnArenaWithoutExceptions() {
  contract_default::arena_options options;
  options.hard_quota = 65536;
  contract_default::arena arena(options);
  (void)arena.allocate(100000);
}

void FailWithoutExceptions() {
  (void)contract_default::allocator<long>().allocate(~std::size_t{0});
}
