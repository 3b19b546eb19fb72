// Threads that do what they are told, all at once or one of them, and stay
// alive with what they cache until the object goes.
#ifndef TESTS_CONTRACT_CREW_H_
#define TESTS_CONTRACT_CREW_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace contract {

class Crew {
 public:
  explicit Crew(int size) {
    for (int i = 0; i < size; ++i)
      threads_.emplace_back([this, i] { Serve(i); });
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew() {
    {
      const std::unique_lock lock(mutex_);
      end_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  int size() const { return static_cast<int>(threads_.size()); }

  // Runs task(i) on each thread i and waits for all of them.
  void Do(const std::function<void(int)>& task) {
    std::unique_lock lock(mutex_);
    task_ = &task;
    busy_ = size();
    ++round_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return busy_ == 0; });
  }

  // Runs the task on one thread and waits for it.
  void DoOn(int one, const std::function<void()>& task) {
    Do([&](int i) {
      if (i == one) task();
    });
  }

 private:
  void Serve(int i) {
    int done = 0;
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return end_ || round_ != done; });
      if (end_) return;
      done = round_;
      const std::function<void(int)>& task = *task_;
      lock.unlock();
      task(i);
      lock.lock();
      if (--busy_ == 0) changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(int)>* task_ = nullptr;
  int round_ = 0;
  int busy_ = 0;
  bool end_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace contract

#endif  // TESTS_CONTRACT_CREW_H_
