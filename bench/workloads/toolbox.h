// Small things that most workloads need.
#ifndef BENCH_WORKLOADS_TOOLBOX_H_
#define BENCH_WORKLOADS_TOOLBOX_H_

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace bench {

// Stops the run: a workload that cannot do its work has no figure.
[[noreturn]] inline void Fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

// Deterministic and cheap next to malloc: xorshift64*.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}

  uint64_t Next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Du;
  }

  // In [0, n).
  size_t Below(size_t n) {
    return static_cast<size_t>((static_cast<unsigned __int128>(Next()) * n) >>
                               64);
  }

  // In [low, high].
  size_t Between(size_t low, size_t high) {
    return low + Below(high - low + 1);
  }

  // In [0, 1).
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

// A zeroed array that is not the allocator's: its size is the same in every
// column.
template <typename T>
class Table {
 public:
  explicit Table(size_t size) : size_(size) {
    void* memory = mmap(nullptr, size * sizeof(T), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) Fail("no memory for a table");
    data_ = static_cast<T*>(memory);
  }
  Table(Table&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() {
    if (data_ != nullptr) munmap(data_, size_ * sizeof(T));
  }

  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  size_t size() const { return size_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  T* data_;
  size_t size_;
};

// Sizes drawn beforehand, so that drawing is not what is measured. With
// kManySmall they follow the inverse-square law by which glibc's
// bench-malloc-thread mimics programs, which ask for many more small blocks
// than large ones; with kEven all are as likely.
enum class Spread { kEven, kManySmall };

class Sizes {
 public:
  Sizes(size_t low, size_t high, Spread spread, uint64_t seed = 1)
      : table_(kCount) {
    Random random(seed);
    for (uint32_t& size : table_) {
      const double r = random.Fraction();
      const auto a = static_cast<double>(low);
      const auto b = static_cast<double>(high);
      size = static_cast<uint32_t>(spread == Spread::kEven
                                       ? a + r * (b - a + 1)
                                       : 1 / (r * (1 / b - 1 / a) + 1 / a));
    }
  }

  size_t operator()(uint64_t i) const { return table_[i % kCount]; }

 private:
  // Enough that the branch predictor does not learn it; 64 KiB.
  static constexpr size_t kCount = 16384;
  Table<uint32_t> table_;
};

// Keeps the compiler from following what happens to memory.
inline void Use(const void* memory) {
  asm volatile("" : : "r"(memory) : "memory");
}

// malloc, and a write to the block's first byte: nobody asks for memory and
// leaves it.
inline void* Allocate(size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) Fail("malloc gave null");
  *static_cast<volatile char*>(block) = 1;
  return block;
}

// Writes a byte in each page, which makes the block's memory real.
inline void TouchPages(void* block, size_t size) {
  auto* bytes = static_cast<volatile char*>(block);
  for (size_t i = 0; i < size; i += 4096) bytes[i] = 1;
  if (size > 0) bytes[size - 1] = 1;
}

// So many pointers travel together: what is measured is the allocator and not
// the queue, and a thread that waits does so for long enough to be worth a
// yield.
struct Batch {
  static constexpr size_t kSize = 256;
  void* items[kSize];
};

// A bounded queue from one thread to one other.
class Channel {
 public:
  void Push(const Batch& batch) {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    Wait([&] {
      return tail - head_.load(std::memory_order_acquire) < kCapacity;
    });
    batches_[tail % kCapacity] = batch;
    tail_.store(tail + 1, std::memory_order_release);
  }
  void Pop(Batch* batch) {
    const size_t head = head_.load(std::memory_order_relaxed);
    Wait([&] { return head != tail_.load(std::memory_order_acquire); });
    *batch = batches_[head % kCapacity];
    head_.store(head + 1, std::memory_order_release);
  }

  static constexpr size_t kCapacity = 16;

 private:
  template <typename Condition>
  static void Wait(const Condition& condition) {
    // Where there are more threads than cores, the other may have to run first.
    for (int tries = 0; !condition(); ++tries) {
      if (tries > 200) {
        sched_yield();
      } else {
        __builtin_ia32_pause();
      }
    }
  }

  alignas(64) std::atomic<size_t> head_{0};
  alignas(64) std::atomic<size_t> tail_{0};
  alignas(64) Batch batches_[kCapacity];
};

// Runs body(0) to body(n - 1), each in a thread of its own, and returns when
// all are done. Not std::thread: its state would come from the allocator that
// is measured.
template <typename Body>
void RunThreads(size_t n, const Body& body) {
  struct One {
    const Body* body;
    size_t index;
    pthread_t thread;
  };
  Table<One> all(n);
  for (size_t i = 0; i < n; ++i) {
    all[i] = {&body, i, {}};
    const auto start = [](void* argument) -> void* {
      const One* one = static_cast<One*>(argument);
      (*one->body)(one->index);
      return nullptr;
    };
    if (pthread_create(&all[i].thread, nullptr, start, &all[i]) != 0) {
      Fail("no thread");
    }
  }
  for (One& one : all) pthread_join(one.thread, nullptr);
}

}  // namespace bench

#endif  // BENCH_WORKLOADS_TOOLBOX_H_
