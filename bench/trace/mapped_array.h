// Memory that no malloc knows: what the replayer itself needs must not leave
// its mark on the allocator that is measured.
#ifndef BENCH_TRACE_MAPPED_ARRAY_H_
#define BENCH_TRACE_MAPPED_ARRAY_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <utility>

namespace bench {

// Zeroed elements of a plain type.
template <typename T>
class MappedArray {
 public:
  MappedArray() = default;
  explicit MappedArray(size_t size) : size_(size) {
    if (size == 0) return;
    void* const memory =
        mmap(nullptr, bytes(), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) abort();
    data_ = static_cast<T*>(memory);
  }
  ~MappedArray() {
    if (data_ != nullptr) munmap(data_, bytes());
  }
  MappedArray(MappedArray&& other) noexcept { *this = std::move(other); }
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  T* data() const { return data_; }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(T); }
  T& operator[](size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace bench

#endif  // BENCH_TRACE_MAPPED_ARRAY_H_
