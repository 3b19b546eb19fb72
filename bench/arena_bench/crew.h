// Four threads that live as long as the benchmark and wait for work.
#ifndef BENCH_ARENA_BENCH_CREW_H_
#define BENCH_ARENA_BENCH_CREW_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

namespace bench {

// They wait as std::atomic does, which yields some times and then sleeps: five
// threads that spin on two cores would measure who is spinning.
class Crew {
 public:
  static constexpr int kSize = 4;

  Crew();
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // body(0) to body(kSize - 1), each in the thread of that number; returns when
  // all are done.
  template <typename Body>
  void Run(const Body& body) {
    call_ = [](const void* context, int index) {
      (*static_cast<const Body*>(context))(index);
    };
    context_ = &body;
    RunCall();
  }

 private:
  void RunCall();
  void Work(int index);

  void (*call_)(const void* context, int index) = nullptr;
  const void* context_ = nullptr;
  alignas(64) std::atomic<uint32_t> turn_{0};
  alignas(64) std::atomic<uint32_t> busy_{0};
  std::array<std::thread, kSize> threads_;
};

}  // namespace bench

#endif  // BENCH_ARENA_BENCH_CREW_H_
