// Takes the place of core/base/atomic.h: by its guard, so that whatever is
// included behind this gets these classes. As large as the values, like those.
#ifndef ALCOVE_CORE_BASE_ATOMIC_H_
#define ALCOVE_CORE_BASE_ATOMIC_H_

#include "core/base/config.h"
#include "tests/model/model.h"

namespace ALCOVE_CORE_NAMESPACE {

inline void KeepOrder() { alcove_model::Step(); }

enum class Order : int {
  kRelaxed = __ATOMIC_RELAXED,
  kAcquire = __ATOMIC_ACQUIRE,
  kRelease = __ATOMIC_RELEASE,
  kAcqRel = __ATOMIC_ACQ_REL,
  kSeqCst = __ATOMIC_SEQ_CST,
};

// Where the caller is, as the last parameters of a function.
#define ALCOVE_MODEL_CALLER                               \
  const char *file = __builtin_FILE(),                    \
             const char *function = __builtin_FUNCTION(), \
             int line = __builtin_LINE()

template <typename T>
class Atomic {
 public:
  constexpr Atomic() = default;
  constexpr explicit Atomic(T value) : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T Load(Order order, ALCOVE_MODEL_CALLER) const {
    return From(alcove_model::Load(this, sizeof(T), static_cast<int>(order),
                                   {file, function, line}));
  }
  T Own() const { return From(alcove_model::Own(this, sizeof(T))); }
  void Store(T value, Order order, ALCOVE_MODEL_CALLER) {
    alcove_model::Store(this, sizeof(T), To(value), static_cast<int>(order),
                        {file, function, line});
  }
  T Exchange(T value, Order order, ALCOVE_MODEL_CALLER) {
    return Change(alcove_model::Rmw::kExchange, value, order,
                  {file, function, line});
  }
  bool CompareExchange(T& expected, T desired, Order order,
                       ALCOVE_MODEL_CALLER) {
    uint64_t found = To(expected);
    const bool done = alcove_model::CompareExchange(
        this, sizeof(T), &found, To(desired), static_cast<int>(order),
        {file, function, line});
    if (!done) expected = From(found);
    return done;
  }
  T FetchOr(T bits, Order order, ALCOVE_MODEL_CALLER) {
    return Change(alcove_model::Rmw::kOr, bits, order, {file, function, line});
  }
  T FetchAnd(T bits, Order order, ALCOVE_MODEL_CALLER) {
    return Change(alcove_model::Rmw::kAnd, bits, order, {file, function, line});
  }
  T FetchAdd(T n, Order order, ALCOVE_MODEL_CALLER) {
    return Change(alcove_model::Rmw::kAdd, n, order, {file, function, line});
  }
  T FetchSub(T n, Order order, ALCOVE_MODEL_CALLER) {
    return Change(alcove_model::Rmw::kSubtract, n, order,
                  {file, function, line});
  }

  const T* address() const { return &value_; }

  void RaiseTo(T floor, Order order) {
    T now = Load(Order::kRelaxed);
    while (now < floor && !CompareExchange(now, floor, order)) {
    }
  }
  void LowerTo(T ceiling, Order order) {
    T now = Load(Order::kRelaxed);
    while (now > ceiling && !CompareExchange(now, ceiling, order)) {
    }
  }

 private:
  T Change(alcove_model::Rmw rmw, T value, Order order,
           const alcove_model::Site& site) {
    return From(alcove_model::ReadModifyWrite(rmw, this, sizeof(T), To(value),
                                              static_cast<int>(order), site));
  }
  static uint64_t To(T value) {
    uint64_t word = 0;
    __builtin_memcpy(&word, &value, sizeof(T));
    return word;
  }
  static T From(uint64_t word) {
    T value;
    __builtin_memcpy(&value, &word, sizeof(T));
    return value;
  }

  T value_{};
};

template <typename T>
class Published {
 public:
  constexpr Published() = default;
  Published(const Published&) = delete;
  operator T() const { return value_.Own(); }  // NOLINT: as the core's
  Published& operator=(T value) {
    value_.Store(value, Order::kRelaxed);
    return *this;
  }
  Published& operator=(const Published&) = delete;
  T Peek() const { return value_.Load(Order::kRelaxed); }

 private:
  Atomic<T> value_;
};

#undef ALCOVE_MODEL_CALLER

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_BASE_ATOMIC_H_
