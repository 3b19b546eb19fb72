// Atomics without the C++ library: the compiler's, behind one small class. All
// of the core's shared words are of this type, so that a test can put another
// one in its place.
#ifndef ALCOVE_CORE_BASE_ATOMIC_H_
#define ALCOVE_CORE_BASE_ATOMIC_H_

#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {

// Keeps the compiler from moving memory accesses from one side to the other. For
// words that only their owner writes, where whoever takes over from an owner that
// was stopped in between has to find them written in this order; the CPU's own
// order does not matter, since the kernel was in between.
inline void KeepOrder() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

enum class Order : int {
  kRelaxed = __ATOMIC_RELAXED,
  kAcquire = __ATOMIC_ACQUIRE,
  kRelease = __ATOMIC_RELEASE,
  kAcqRel = __ATOMIC_ACQ_REL,
  kSeqCst = __ATOMIC_SEQ_CST,
};

// Zero-initialized by default, so that it may live in zeroed mappings and in
// .bss.
template <typename T>
class Atomic {
 public:
  constexpr Atomic() = default;
  constexpr explicit Atomic(T value) : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T Load(Order order) const {
    return __atomic_load_n(&value_, static_cast<int>(order));
  }
  // A plain read, for the thread that alone writes: its own last value.
  T Own() const { return value_; }
  void Store(T value, Order order) {
    __atomic_store_n(&value_, value, static_cast<int>(order));
  }
  T Exchange(T value, Order order) {
    return __atomic_exchange_n(&value_, value, static_cast<int>(order));
  }
  // On failure `expected` becomes the value found, read with relaxed order.
  bool CompareExchange(T& expected, T desired, Order order) {
    return __atomic_compare_exchange_n(&value_, &expected, desired, false,
                                       static_cast<int>(order),
                                       __ATOMIC_RELAXED);
  }
  T FetchOr(T bits, Order order) {
    return __atomic_fetch_or(&value_, bits, static_cast<int>(order));
  }
  T FetchAnd(T bits, Order order) {
    return __atomic_fetch_and(&value_, bits, static_cast<int>(order));
  }
  T FetchAdd(T n, Order order) {
    return __atomic_fetch_add(&value_, n, static_cast<int>(order));
  }
  T FetchSub(T n, Order order) {
    return __atomic_fetch_sub(&value_, n, static_cast<int>(order));
  }

  // For the system, which lets a thread wait on the word.
  const T* address() const { return &value_; }

  // Raises the value to at least `floor`.
  void RaiseTo(T floor, Order order) {
    T now = Load(Order::kRelaxed);
    while (now < floor && !CompareExchange(now, floor, order)) {
    }
  }
  // Lowers the value to at most `ceiling`.
  void LowerTo(T ceiling, Order order) {
    T now = Load(Order::kRelaxed);
    while (now > ceiling && !CompareExchange(now, ceiling, order)) {
    }
  }

 private:
  T value_{};
};

// A value that one thread writes, and reads as if it were its own; any other
// one peeks at it.
template <typename T>
class Published {
 public:
  constexpr Published() = default;
  Published(const Published&) = delete;
  operator T() const { return value_; }  // NOLINT: like a T for its writer
  Published& operator=(T value) {
    __atomic_store_n(&value_, value, __ATOMIC_RELAXED);
    return *this;
  }
  Published& operator=(const Published&) = delete;
  T Peek() const { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }

 private:
  T value_{};
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_BASE_ATOMIC_H_
