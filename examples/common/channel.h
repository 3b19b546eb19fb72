// A bounded queue between threads. Its own memory is the process's malloc.
#ifndef EXAMPLES_COMMON_CHANNEL_H_
#define EXAMPLES_COMMON_CHANNEL_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace common {

template <typename T>
class Channel {
 public:
  // `senders` threads will each call Close once.
  explicit Channel(int senders) : senders_(senders) {}

  void Send(T item) {
    std::unique_lock lock(mutex_);
    not_full_.wait(lock, [this] { return items_.size() < kCapacity; });
    items_.push_back(std::move(item));
    not_empty_.notify_one();
  }

  // The next item, or none once all senders have closed.
  std::optional<T> Receive() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [this] { return !items_.empty() || senders_ == 0; });
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    not_full_.notify_one();
    return item;
  }

  void Close() {
    const std::lock_guard lock(mutex_);
    if (--senders_ == 0) not_empty_.notify_all();
  }

 private:
  static constexpr size_t kCapacity = 16;

  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  std::deque<T> items_;
  int senders_;
};

}  // namespace common

#endif  // EXAMPLES_COMMON_CHANNEL_H_
