#include "bench/arena_bench/crew.h"

namespace bench {

Crew::Crew() {
  for (int i = 0; i < kSize; ++i) {
    threads_[i] = std::thread([this, i] { Work(i); });
  }
}

Crew::~Crew() {
  call_ = nullptr;
  RunCall();
  for (std::thread& thread : threads_) thread.join();
}

void Crew::RunCall() {
  busy_.store(kSize, std::memory_order_relaxed);
  turn_.fetch_add(1, std::memory_order_release);
  turn_.notify_all();
  for (uint32_t busy; (busy = busy_.load(std::memory_order_acquire)) != 0;) {
    busy_.wait(busy, std::memory_order_acquire);
  }
}

void Crew::Work(int index) {
  for (uint32_t turn = 0;; ++turn) {
    turn_.wait(turn, std::memory_order_acquire);
    const bool end = call_ == nullptr;
    if (!end) call_(context_, index);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
    if (end) return;
  }
}

}  // namespace bench
