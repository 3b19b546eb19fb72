// Threads that live on between the things they are told to do, with what they
// cached. To tell them allocates nothing.
#ifndef TESTS_COEXISTENCE_CREW_H_
#define TESTS_COEXISTENCE_CREW_H_

#include <barrier>
#include <thread>
#include <vector>

namespace coexistence {

class Crew {
 public:
  explicit Crew(int size) : start_(size + 1), done_(size + 1) {
    for (int i = 0; i < size; ++i) threads_.emplace_back([this] { Live(); });
  }
  ~Crew() {
    task_ = nullptr;
    start_.arrive_and_wait();
    for (std::thread& thread : threads_) thread.join();
  }

  // Has each of them do it, and returns when all have.
  template <typename Task>
  void Run(const Task& task) {
    context_ = &task;
    task_ = [](const void* context) { (*static_cast<const Task*>(context))(); };
    start_.arrive_and_wait();
    done_.arrive_and_wait();
  }

 private:
  void Live() {
    for (;;) {
      start_.arrive_and_wait();
      if (task_ == nullptr) return;
      task_(context_);
      done_.arrive_and_wait();
    }
  }

  std::barrier<> start_;
  std::barrier<> done_;
  void (*task_)(const void*) = nullptr;
  const void* context_ = nullptr;
  std::vector<std::thread> threads_;
};

}  // namespace coexistence

#endif  // TESTS_COEXISTENCE_CREW_H_
