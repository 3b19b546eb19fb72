#include "examples/coexist/jemalloc.h"

#include <jemalloc/jemalloc.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace coexist::jemalloc {

namespace {

template <typename T>
T Get(const char* name) {
  T value = {};
  size_t size = sizeof(value);
  return mallctl(name, &value, &size, nullptr, 0) == 0 ? value : T{};
}

}  // namespace

std::string Version() {
  // "5.3.0-0-g54eaed1d...": the release and the commit.
  const char* const version = Get<const char*>("version");
  return version == nullptr ? "none"
                            : std::string(version, std::strcspn(version, "-"));
}

Figures TakeFigures() {
  // jemalloc gathers its statistics when the epoch moves on.
  uint64_t epoch = 1;
  mallctl("epoch", nullptr, nullptr, &epoch, sizeof(epoch));
  Figures figures;
  figures.bytes_live = Get<size_t>("stats.allocated");
  figures.bytes_spans = Get<size_t>("stats.active");
  figures.bytes_committed = Get<size_t>("stats.mapped");
  figures.bytes_metadata = Get<size_t>("stats.metadata");
  return figures;
}

bool IsMalloc() {
  constexpr size_t kBytes = 100000;
  const auto allocated = Get<uint64_t>("thread.allocated");
  const auto freed = Get<uint64_t>("thread.deallocated");
  void* volatile block = std::malloc(kBytes);
  auto* volatile object = new char[kBytes];
  std::free(block);
  delete[] object;
  return Get<uint64_t>("thread.allocated") - allocated >= 2 * kBytes &&
         Get<uint64_t>("thread.deallocated") - freed >= 2 * kBytes;
}

}  // namespace coexist::jemalloc
