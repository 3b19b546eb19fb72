// Arithmetic with big numbers, each result in a block of its own: many small
// objects that live shortly, and whose address the very next instructions need.
// cfrac (Dave Barrett; used by Zorn and Grunwald, and in mimalloc-bench) and
// every computer algebra system behave so. Here: the continued fraction of
// sqrt(2), convergent by convergent.
#include <cstring>

#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

// Digits to the base 2^32, least significant first.
struct Number {
  uint32_t size;
  uint32_t digits[];
};

Number* NewNumber(uint32_t size) {
  auto* number =
      static_cast<Number*>(Allocate(sizeof(Number) + size * sizeof(uint32_t)));
  number->size = size;
  return number;
}

Number* FromInt(uint32_t value) {
  Number* number = NewNumber(1);
  number->digits[0] = value;
  return number;
}

Number* Add(const Number* a, const Number* b) {
  if (a->size < b->size) std::swap(a, b);
  Number* sum = NewNumber(a->size + 1);
  uint64_t carry = 0;
  for (uint32_t i = 0; i < a->size; ++i) {
    carry += a->digits[i];
    if (i < b->size) carry += b->digits[i];
    sum->digits[i] = static_cast<uint32_t>(carry);
    carry >>= 32;
  }
  sum->digits[a->size] = static_cast<uint32_t>(carry);
  if (carry == 0) --sum->size;
  return sum;
}

// Takes over `old`, as `x = x + y` with values does.
Number* Replace(Number* old, Number* fresh) {
  std::free(old);
  return fresh;
}

// After n steps p / q is the n-th convergent: (p, q) <- (p + 2q, p + q).
uint32_t Convergents(size_t steps) {
  Number* p = FromInt(1);
  Number* q = FromInt(1);
  for (size_t i = 0; i < steps; ++i) {
    Number* sum = Add(p, q);
    p = Replace(p, Add(sum, q));
    q = Replace(q, sum);
  }
  const uint32_t low = p->digits[0] ^ q->digits[0];
  std::free(p);
  std::free(q);
  return low;
}

void Bignum(Run& run, const Workload&) {
  constexpr size_t kSteps = 200;
  const size_t times = run.Times(40000);
  uint32_t sum = 0;
  run.Start();
  for (size_t i = 0; i < times; ++i) sum ^= Convergents(kSteps + i % 64);
  run.Stop(times * 2 * (kSteps + 32));
  Use(&sum);
}

constexpr Workload kRows[] = {
    {"bignum", "big number arithmetic, each result in a new block", Bignum},
};

}  // namespace

std::span<const Workload> BignumRows() { return kRows; }

}  // namespace bench
