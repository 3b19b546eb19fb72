// The public header in C17: every function is called, so that a wrong
// declaration shows.
#include "tests/contract/c17_user.h"

#include <errno.h>

#include "tests/contract/default_heap.h"

static void CountBlock(void* block, size_t size, void* context) {
  *(size_t*)context += block != NULL && size >= 1;
}

static void CountCall(contract_default_arena* arena, size_t bytes_held,
                      void* context) {
  *(size_t*)context += arena != NULL && bytes_held > 65536;
}

static int UseArenaFromC(void) {
  size_t calls = 0;
  size_t visited = 0;
  contract_default_arena_options options = {
      .struct_size = sizeof(options),
      .name = "from C",
      .hard_quota = 1 << 20,
      .soft_quota = 65536,
      .on_soft_quota = CountCall,
      .context = &calls,
      .alignment = 32,
      .reserve = 65536,
      .mode = contract_default_arena_monotonic,
  };
  contract_default_arena* parent = contract_default_arena_create(NULL);
  options.parent = parent;
  contract_default_arena* arena = contract_default_arena_create(&options);
  if (arena == NULL || parent == NULL) return 10;
  void* block = contract_default_arena_malloc(arena, 10);
  block = contract_default_arena_realloc(arena, block, 100);
  block = contract_default_arena_reallocarray(arena, block, 10, 100);
  if (contract_default_arena_of(block) != arena) return 11;
  contract_default_free(block);
  if (contract_default_arena_calloc(arena, 10, 10) == NULL) return 12;
  if (contract_default_arena_aligned_alloc(arena, 64, 10) == NULL) return 13;
  if (contract_default_arena_posix_memalign(arena, &block, 64, 100000) != 0)
    return 14;
  if (calls != 1) return 15;
  contract_default_arena_stats_t stats = {.struct_size = sizeof(stats)};
  if (contract_default_arena_stats(arena, &stats) != 0) return 16;
  if (stats.blocks_live != 3 || stats.name[0] != 'f') return 17;
  contract_default_arena_class_stats_t classes[2];
  if (contract_default_arena_class_stats(arena, classes, 2) != 2) return 18;
  if (contract_default_arena_visit_blocks(arena, CountBlock, &visited) != 3 ||
      visited != 3)
    return 19;
  contract_default_arena_reset(arena);
  contract_default_arena_destroy(parent);
  contract_default_stats_t all = {.struct_size = sizeof(all)};
  return contract_default_stats(&all) == 0 && all.arenas == 0 ? 0 : 20;
}

static int UseManyFromC(void) {
  void* blocks[10];
  if (contract_default_malloc_batch(24, 10, blocks) != 10) return 30;
  contract_default_free_batch(blocks, 10);
  contract_default_pin_t* pin = contract_default_pin();
  contract_default_pinned_free(pin, contract_default_pinned_malloc(pin, 8));
  contract_default_unpin(pin);
  void* block = contract_default_alloc_at_multiple(24, 100);
  if ((uintptr_t)block % 24 != 0) return 31;
  if (contract_default_try_realloc_in_place(block, 100, 100) < 100) return 32;
  if (contract_default_free_range((char*)block + 50, 1) != 0) return 35;
  contract_default_free(block);
  contract_default_free((char*)block + 51);
  if (contract_default_sbrk(100) == (void*)-1) return 34;
  contract_default_arena* arena = contract_default_arena_create(NULL);
  block = contract_default_arena_alloc_at_multiple(arena, 48, 100);
  if (block == NULL || (uintptr_t)block % 48 != 0) return 33;
  static char memory[3 * 65536];
  if (contract_default_arena_donate(arena, memory, sizeof(memory)) != 0)
    return 36;
  block = contract_default_arena_malloc(arena, 65536);
  if ((char*)block < memory || (char*)block >= memory + sizeof(memory))
    return 37;
  contract_default_arena_destroy(arena);
  return 0;
}

static int CountShortage(const contract_default_oom_info* info, void* context) {
  *(size_t*)context += info->size >= (size_t)1 << 46 && info->arena == NULL;
  return info->asked == 0 ? contract_default_oom_retry
                          : contract_default_oom_fail;
}

static void WriteNothing(int level, const char* line, void* context) {
  (void)level;
  (void)line;
  (void)context;
}

static int UseLogFromC(void) {
  const contract_default_log_sink sink = {WriteNothing, NULL,
                                          contract_default_log_trace};
  // By default there is none.
  return contract_default_set_log_sink(&sink, NULL) == ENOTSUP ? 0 : 40;
}

static int UseHandlersFromC(void) {
  size_t asked = 0;
  const contract_default_oom_handler handler = {CountShortage, &asked};
  const contract_default_oom_handler* former = NULL;
  if (contract_default_set_oom_handler(&handler, NULL) != 0) return 40;
  // As much as there is address space, less what is never free.
  const size_t too_much = ((size_t)1 << 47) - ((size_t)4 << 20);
  if (contract_default_malloc(too_much) != NULL || asked != 2) return 41;
  if (contract_default_set_oom_handler(NULL, &former) != 0) return 42;
  if (former != &handler) return 43;
  if (contract_default_set_thread_oom_handler(&handler, NULL) != 0) return 44;
  if (contract_default_oom_ask_throwing(NULL, 10, 8, 1) != 0) return 45;
  contract_default_oom_leave();
  return contract_default_set_thread_oom_handler(NULL, NULL);
}

static void Visit(void* block, size_t size, void* const* frames,
                  size_t frame_count, void* context) {
  (void)frames;
  if (block != NULL && size >= 100 && frame_count == 0) ++*(int*)context;
}

static int VisitFromC(void) {
  int seen = 0;
  void* const block = contract_default_malloc(100);
  if (contract_default_visit_blocks(Visit, &seen) != 1 || seen != 1) return 50;
  contract_default_free(block);
  return contract_default_visit_blocks(NULL, NULL) == 0 ? 0 : 51;
}

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
  const int of_many = UseManyFromC();
  if (of_many != 0) return of_many;
  const int in_arena = UseArenaFromC();
  if (in_arena != 0) return in_arena;
  const int handlers = UseHandlersFromC();
  if (handlers != 0) return handlers;
  const int visit = VisitFromC();
  if (visit != 0) return visit;
  const int log = UseLogFromC();
  if (log != 0) return log;
  contract_default_thread_detach();
  contract_default_purge();
  return contract_default_shutdown();
}
