#include "tests/freestanding/work.h"

#include <stdint.h>

#define CHECK(condition)               \
  do {                                 \
    if (!(condition)) return __LINE__; \
  } while (0)

enum {
  kThreads = 4,
  kRounds = 25,
  kOperations = 4000,
  kHeld = 64,
  kPosts = 128,
};

// A block carries its size in its first word, and a byte that depends on that in
// all others.
struct world {
  const struct instance* instances[2];
  const struct threads* threads;
  int arrived;
  void* posts[2][kPosts];  // where threads leave blocks for each other to free
};

struct worker {
  struct world* world;
  uint64_t random;
  int result;
};

static uint64_t next_random(uint64_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static size_t some_size(uint64_t* random) {
  const uint64_t r = next_random(random);
  if (r % 1000 == 0) return 100000 + r % 500000;  // a span of its own
  if (r % 50 == 0) return 2000 + r % 30000;
  return 16 + r % 500;
}

static void fill(void* block, size_t from, size_t size) {
  volatile unsigned char* const bytes = (volatile unsigned char*)block;
  if (from < sizeof(size_t)) from = sizeof(size_t);
  *(volatile size_t*)block = size;
  for (size_t i = from; i < size; i += 13)
    bytes[i] = (unsigned char)(size >> 3);
  bytes[size - 1] = (unsigned char)(size >> 3);
}

static int is_filled(const void* block, size_t size) {
  const volatile unsigned char* const bytes =
      (const volatile unsigned char*)block;
  if (*(const volatile size_t*)block != size) return 0;
  for (size_t i = sizeof(size_t); i < size; i += 13) {
    if (bytes[i] != (unsigned char)(size >> 3)) return 0;
  }
  return bytes[size - 1] == (unsigned char)(size >> 3);
}

static int check_and_free(const struct world* world, int which, void* block) {
  CHECK(world->instances[which]->owns(block) != 0);
  CHECK(world->instances[!which]->owns(block) == 0);
  CHECK(is_filled(block, *(size_t*)block));
  world->instances[which]->free(block);
  return 0;
}

static int exchange_blocks(struct worker* worker) {
  struct world* const world = worker->world;
  void* held[2][kHeld];
  for (int which = 0; which < 2; ++which) {
    for (int i = 0; i < kHeld; ++i) held[which][i] = NULL;
  }
  for (int i = 0; i < kOperations; ++i) {
    const uint64_t r = next_random(&worker->random);
    const int which = (int)(r & 1);
    const struct instance* const instance = world->instances[which];
    void** const place = &held[which][(r >> 8) % kHeld];
    if (*place == NULL) {
      const size_t size = some_size(&worker->random);
      *place =
          (r & 2) != 0 ? instance->malloc(size) : instance->calloc(size, 1);
      CHECK(*place != NULL);
      fill(*place, 0, size);
    } else if ((r & 12) == 0) {
      const size_t old_size = *(size_t*)*place;
      const size_t size = old_size + r % 100;
      CHECK(is_filled(*place, old_size));
      *place = instance->realloc(*place, size);
      CHECK(*place != NULL);
      fill(*place, 0, size);
    } else {
      // Another thread's block comes back for it, or none.
      *place = __atomic_exchange_n(&world->posts[which][(r >> 16) % kPosts],
                                   *place, __ATOMIC_ACQ_REL);
      if (*place != NULL) {
        const int line = check_and_free(world, which, *place);
        if (line != 0) return line;
        *place = NULL;
      }
    }
  }
  for (int which = 0; which < 2; ++which) {
    for (int i = 0; i < kHeld; ++i) {
      if (held[which][i] == NULL) continue;
      const int line = check_and_free(world, which, held[which][i]);
      if (line != 0) return line;
    }
  }
  return 0;
}

static void work(void* argument) {
  struct worker* const worker = (struct worker*)argument;
  struct world* const world = worker->world;
  // All are there at once, so that each round has as many heaps.
  for (int which = 0; which < 2; ++which)
    world->instances[which]->free(world->instances[which]->malloc(16));
  __atomic_fetch_add(&world->arrived, 1, __ATOMIC_ACQ_REL);
  while (__atomic_load_n(&world->arrived, __ATOMIC_ACQUIRE) % kThreads != 0)
    world->threads->yield();
  worker->result = exchange_blocks(worker);
}

int run_work(const struct instance* one, const struct instance* other,
             const struct threads* threads) {
  static struct world world;
  world.instances[0] = one;
  world.instances[1] = other;
  world.threads = threads;
  size_t metadata[2] = {0, 0};
  for (int round = 0; round < kRounds; ++round) {
    struct worker workers[kThreads];
    void* handles[kThreads];
    for (int t = 0; t < kThreads; ++t) {
      workers[t].world = &world;
      workers[t].random =
          (uint64_t)(round * kThreads + t + 1) * 0x9e3779b97f4a7c15u;
      workers[t].result = -1;
      handles[t] = threads->start(work, &workers[t]);
      CHECK(handles[t] != NULL);
    }
    for (int t = 0; t < kThreads; ++t) threads->join(handles[t]);
    for (int t = 0; t < kThreads; ++t) {
      if (workers[t].result != 0) return workers[t].result;
    }
    // The threads of each round take the heaps of those before, which are gone.
    for (int which = 0; which < 2; ++which) {
      const size_t now = world.instances[which]->bytes_metadata();
      if (round == 0) metadata[which] = now;
      CHECK(now == metadata[which] || !threads->taken_over);
    }
  }
  for (int which = 0; which < 2; ++which) {
    for (int i = 0; i < kPosts; ++i) {
      void* const block = world.posts[which][i];
      world.posts[which][i] = NULL;
      if (block == NULL) continue;
      const int line = check_and_free(&world, which, block);
      if (line != 0) return line;
    }
  }
  for (int which = 0; which < 2; ++which) {
    CHECK(world.instances[which]->blocks_live() == 0);
    CHECK(world.instances[which]->heaps() <= kThreads + 1 ||
          !threads->taken_over);
    CHECK(world.instances[which]->shutdown() == 0);
    CHECK(world.instances[which]->bytes_metadata() == 0);
  }
  return 0;
}
