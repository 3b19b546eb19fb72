// Runs out of memory in each way that the standard knows.
#include <cstddef>
#include <cstdint>
#include <new>

namespace {

volatile size_t too_much = PTRDIFF_MAX;
int handled = 0;
struct Enough {};

}  // namespace

// Returns how many of the five ways went as they should.
extern "C" int RunOut() {
  int good = 0;
  try {
    operator delete(operator new(too_much));
  } catch (const std::bad_alloc&) {
    ++good;
  }
  try {
    operator delete[](operator new[](too_much, std::align_val_t{64}),
                      std::align_val_t{64});
  } catch (const std::bad_alloc&) {
    ++good;
  }
  std::set_new_handler([] {
    if (++handled == 2) std::set_new_handler(nullptr);
  });
  if (operator new(too_much, std::nothrow) == nullptr&& handled == 2) ++good;
  std::set_new_handler([] { throw Enough(); });
  try {
    operator delete(operator new(too_much));
  } catch (const Enough&) {
    ++good;
  }
  if (operator new[](too_much, std::nothrow) == nullptr) ++good;
  std::set_new_handler(nullptr);
  return good;
}
