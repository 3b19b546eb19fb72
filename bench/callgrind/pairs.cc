// pairs SIZE COUNT [nothing]: that many times malloc(SIZE) and free, for
// callgrind.sh to count instructions. `nothing` calls two functions that do
// nothing in their stead: what remains are the loop and the calls.
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

char buffer[1];

// Two instructions and one, which callgrind.sh knows.
__attribute__((noinline)) void* Nothing(size_t) { return buffer; }
__attribute__((noinline)) void Nothing(void*) {}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  const size_t size = std::strtoul(argv[1], nullptr, 10);
  const size_t count = std::strtoul(argv[2], nullptr, 10);
  void* (*volatile allocate)(size_t) = std::malloc;
  void (*volatile release)(void*) = std::free;
  // A heap with nothing else in it is what no program has.
  void* neighbours[8];
  for (void*& block : neighbours) block = std::malloc(size);
  std::free(neighbours[4]);
  if (argc > 3) {
    allocate = Nothing;
    release = Nothing;
  }
  for (size_t i = 0; i < count; ++i) release(allocate(size));
  return 0;
}
