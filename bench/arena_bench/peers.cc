// Heaps of jemalloc, mimalloc and tbbmalloc. Each library is loaded for itself:
// that it defines malloc, too, stays unknown to the rest of the process, whose
// malloc is the C library's.
//
// Declared here and not by their headers, which few machines have.
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "bench/arena_bench/contender.h"
#include "bench/runner/column.h"

namespace bench {

namespace {

// ---- jemalloc

constexpr int kTcacheNone = 1 << 8;  // MALLOCX_TCACHE_NONE
constexpr int ArenaFlag(unsigned arena) {
  return static_cast<int>(arena + 1) << 20;  // MALLOCX_ARENA
}
constexpr int TcacheFlag(unsigned tcache) {
  return static_cast<int>(tcache + 2) << 8;  // MALLOCX_TCACHE
}

struct Jemalloc {
  int (*mallctl)(const char*, void*, size_t*, void*, size_t);
  int (*mallctlnametomib)(const char*, size_t*, size_t*);
  int (*mallctlbymib)(const size_t*, size_t, void*, size_t*, void*, size_t);
  void* (*mallocx)(size_t, int);

  // Names are parsed once.
  size_t create[2];
  size_t destroy[3];
  size_t flush[2];
} jemalloc;

class JemallocHeap {
 public:
  static constexpr bool kOfOneThread = false;
  JemallocHeap() {
    size_t size = sizeof(arena_);
    if (jemalloc.mallctlbymib(jemalloc.create, 2, &arena_, &size, nullptr, 0)) {
      Fail("jemalloc: arenas.create");
    }
    flags_ = ArenaFlag(arena_) | kTcacheNone;
  }
  ~JemallocHeap() {
    size_t mib[3];
    std::copy(std::begin(jemalloc.destroy), std::end(jemalloc.destroy), mib);
    mib[1] = arena_;
    if (jemalloc.mallctlbymib(mib, 3, nullptr, nullptr, nullptr, 0) != 0) {
      Fail("jemalloc: arena.i.destroy");
    }
  }
  void* Allocate(size_t size) { return jemalloc.mallocx(size, flags_); }

 protected:
  unsigned arena_ = 0;
  int flags_;
};

// With a cache for each thread, which lives on and has to be empty before the
// arena is destroyed.
class CachedJemallocHeap : public JemallocHeap {
 public:
  void* Allocate(size_t size) {
    return jemalloc.mallocx(size, ArenaFlag(arena_) | TcacheFlag(Tcache()));
  }
  void Leave() {
    unsigned tcache = Tcache();
    jemalloc.mallctlbymib(jemalloc.flush, 2, nullptr, nullptr, &tcache,
                          sizeof(tcache));
  }

 private:
  static unsigned Tcache() {
    thread_local unsigned tcache = [] {
      unsigned made = 0;
      size_t size = sizeof(made);
      if (jemalloc.mallctl("tcache.create", &made, &size, nullptr, 0) != 0) {
        Fail("jemalloc: tcache.create");
      }
      return made;
    }();
    return tcache;
  }
};

// ---- mimalloc

struct Mimalloc {
  void* (*heap_new)();
  void* (*heap_malloc)(void*, size_t);
  void (*heap_destroy)(void*);
} mimalloc;

class MimallocHeap {
 public:
  static constexpr bool kOfOneThread = true;
  MimallocHeap() : heap_(mimalloc.heap_new()) {
    if (heap_ == nullptr) Fail("mimalloc: mi_heap_new");
  }
  ~MimallocHeap() { mimalloc.heap_destroy(heap_); }
  void* Allocate(size_t size) { return mimalloc.heap_malloc(heap_, size); }

 private:
  void* const heap_;
};

// ---- tbbmalloc

struct TbbPolicy {  // rml::MemPoolPolicy
  void* (*allocate)(intptr_t pool, size_t& bytes);
  int (*free)(intptr_t pool, void* memory, size_t bytes);
  size_t granularity;
  int version;
  unsigned flags;
};

struct Tbb {
  int (*pool_create)(intptr_t, const TbbPolicy*, void**);
  void* (*pool_malloc)(void*, size_t);
  bool (*pool_destroy)(void*);
} tbb;

// Memory of malloc's; that of mmap makes a pool up to 17 times as slow.
void* TbbRaw(intptr_t, size_t& bytes) { return std::malloc(bytes); }
int TbbRawFree(intptr_t, void* memory, size_t) {
  std::free(memory);
  return 0;
}

class TbbHeap {
 public:
  static constexpr bool kOfOneThread = false;
  TbbHeap() {
    const TbbPolicy policy = {TbbRaw, TbbRawFree, 0, 1, 0};
    if (tbb.pool_create(0, &policy, &pool_) != 0) Fail("tbb: pool_create");
  }
  ~TbbHeap() { tbb.pool_destroy(pool_); }
  void* Allocate(size_t size) { return tbb.pool_malloc(pool_, size); }

 private:
  void* pool_ = nullptr;
};

// Takes functions out of one library; afterwards says what was wrong.
class Loader {
 public:
  explicit Loader(const std::string& path)
      : library_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (library_ != nullptr) return;
    // Without the path, which a reader does not need.
    const std::string error = dlerror();
    const size_t colon = error.rfind(": ");
    error_ = error.substr(colon == error.npos ? 0 : colon + 2);
  }
  template <typename Function>
  Loader& Take(const char* name, Function*& function) {
    if (library_ == nullptr) return *this;
    function = reinterpret_cast<Function*>(dlsym(library_, name));
    if (function == nullptr) error_ = std::string("has no ") + name;
    return *this;
  }
  const std::string& error() const { return error_; }

 private:
  void* const library_;
  std::string error_;
};

std::string LoadJemalloc(const std::string& path) {
  std::string error = Loader(path)
                          .Take("mallctl", jemalloc.mallctl)
                          .Take("mallctlnametomib", jemalloc.mallctlnametomib)
                          .Take("mallctlbymib", jemalloc.mallctlbymib)
                          .Take("mallocx", jemalloc.mallocx)
                          .error();
  if (!error.empty()) return error;
  const auto resolve = [](const char* name, size_t* mib, size_t length) {
    return jemalloc.mallctlnametomib(name, mib, &length) == 0;
  };
  const bool resolved = resolve("arenas.create", jemalloc.create, 2) &&
                        resolve("arena.0.destroy", jemalloc.destroy, 3) &&
                        resolve("tcache.flush", jemalloc.flush, 2);
  return resolved ? "" : "has no such arenas";
}

std::string LoadMimalloc(const std::string& path) {
  return Loader(path)
      .Take("mi_heap_new", mimalloc.heap_new)
      .Take("mi_heap_malloc", mimalloc.heap_malloc)
      .Take("mi_heap_destroy", mimalloc.heap_destroy)
      .error();
}

std::string LoadTbb(const std::string& path) {
  return Loader(path)
      .Take("_ZN3rml14pool_create_v1ElPKNS_13MemPoolPolicyEPPNS_10MemoryPoolE",
            tbb.pool_create)
      .Take("_ZN3rml11pool_mallocEPNS_10MemoryPoolEm", tbb.pool_malloc)
      .Take("_ZN3rml12pool_destroyEPNS_10MemoryPoolE", tbb.pool_destroy)
      .error();
}

}  // namespace

std::vector<Contender> PeerContenders() {
  struct Peer {
    const char* name;  // among KnownColumns()
    std::string (*load)(const std::string& path);
    std::vector<std::pair<const char*, RunFunction>> heaps;
  };
  const Peer peers[] = {
      {"jemalloc",
       LoadJemalloc,
       {{"jemalloc", RunCycles<JemallocHeap>},
        {"jemalloc, tcache", RunCycles<CachedJemallocHeap>}}},
      {"mimalloc", LoadMimalloc, {{"mimalloc", RunCycles<MimallocHeap>}}},
      {"tbbmalloc", LoadTbb, {{"tbb", RunCycles<TbbHeap>}}},
  };
  std::vector<Contender> contenders;
  const std::vector<Column> known = KnownColumns();
  for (const Peer& peer : peers) {
    Column column = *std::find_if(
        known.begin(), known.end(),
        [&](const Column& other) { return other.name == peer.name; });
    if (column.name == "tbbmalloc" && column.absent.empty()) {
      // Known is what replaces malloc; the pools are in the library below it.
      column.library = FindLibrary({"libtbbmalloc.so.2"});
    }
    if (column.absent.empty()) column.absent = peer.load(column.library);
    for (const auto& [name, run] : peer.heaps) {
      column.name = name;
      contenders.push_back({Kind::kGeneral, run, column});
    }
  }
  return contenders;
}

}  // namespace bench
