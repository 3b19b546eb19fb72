// The public header in C17: every function is called, so that a wrong
// declaration shows.
#include "tests/contract/c17_user.h"

#include "tests/contract/default_heap.h"

int UseFromC(void) {
  contract_default_stats_t stats = {.struct_size = sizeof(stats)};
  void* block = NULL;
  if (contract_default_posix_memalign(&block, 64, 100) != 0) return 1;
  contract_default_free(block);
  block = contract_default_realloc(contract_default_calloc(10, 10), 200);
  block = contract_default_reallocarray(block, 10, 100);
  if (!contract_default_owns(block)) return 2;
  if (contract_default_malloc_usable_size(block) < 1000) return 3;
  contract_default_free_sized(block, 1000);
  contract_default_free(contract_default_memalign(64, 100));
  contract_default_free_aligned_sized(contract_default_aligned_alloc(64, 100),
                                      64, 100);
  contract_default_free(
      contract_default_malloc(contract_default_malloc_good_size(1)));
  if (contract_default_stats(&stats) != 0 || stats.blocks_live != 0) return 4;
  if (contract_default_version()[0] == '\0' ||
      contract_default_config()[0] != '{')
    return 5;
  contract_default_thread_detach();
  contract_default_purge();
  return contract_default_shutdown();
}
