// Arenas of an instance of the preset `default`.
#include "bench/arena_bench/contender.h"
#include "bench/arena_bench/request_heap_inline.h"

namespace bench {

namespace {

// Called through pointers, as the peers are.
struct Functions {
  decltype(&request_arena_create) create = request_arena_create;
  decltype(&request_arena_malloc) malloc = request_arena_malloc;
  decltype(&request_arena_destroy) destroy = request_arena_destroy;

  Functions() { asm volatile("" : : "r"(this) : "memory"); }
};

Functions functions;

template <uint32_t kMode>
class AlcoveHeap {
 public:
  static constexpr bool kOfOneThread = false;
  AlcoveHeap() {
    request_arena_options options = {};
    options.struct_size = sizeof(options);
    options.mode = kMode;
    arena_ = functions.create(&options);
    if (arena_ == nullptr) Fail("alcove: arena_create");
  }
  ~AlcoveHeap() { functions.destroy(arena_); }
  void* Allocate(size_t size) { return functions.malloc(arena_, size); }

 protected:
  request_arena* arena_;
};

// By the inline header: what the caller's loop cannot do by itself, it calls.
template <uint32_t kMode>
class InlinedHeap : public AlcoveHeap<kMode> {
 public:
  void* Allocate(size_t size) {
    return request::inlined::arena_malloc(this->arena_, size);
  }
};

class AlcoveResource {
 public:
  static constexpr bool kOfOneThread = false;
  void* Allocate(size_t size) { return disguised_->allocate(size); }

 private:
  request::arena arena_{{.mode = request_arena_monotonic}};
  std::pmr::memory_resource* const disguised_ = Disguised(arena_.resource());
};

}  // namespace

std::vector<Contender> AlcoveContenders() {
  const auto column = [](const char* name) {
    Column column;
    column.name = name;
    column.version = request_version();
    column.ours = true;
    return column;
  };
  return {
      {Kind::kGeneral, RunCycles<AlcoveHeap<request_arena_general>>,
       column("alcove")},
      {Kind::kGeneral, RunCycles<InlinedHeap<request_arena_general>>,
       column("alcove, inlined")},
      {Kind::kMonotonic, RunCycles<AlcoveHeap<request_arena_monotonic>>,
       column("alcove")},
      {Kind::kMonotonic, RunCycles<InlinedHeap<request_arena_monotonic>>,
       column("alcove, inlined")},
      {Kind::kMonotonic, RunCycles<AlcoveResource>, column("alcove as pmr")},
  };
}

}  // namespace bench
