// Something to do before every instruction of a piece of code: the CPU's trap
// flag is set while it runs, and the kernel delivers each trap as a signal.
#ifndef TESTS_CONTRACT_STEPPING_H_
#define TESTS_CONTRACT_STEPPING_H_

#include <csignal>
#include <cstdlib>

namespace contract {

inline unsigned long NumberOr(const char* variable, unsigned long otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 0);
}

// One object at a time in each thread, but for one that is made and run in the
// OnStep of another.
class Stepping {
 public:
  Stepping();
  virtual ~Stepping();
  Stepping(const Stepping&) = delete;
  Stepping& operator=(const Stepping&) = delete;

  template <typename Code>
  void Run(const Code& code) {
    Stepping* const outer = Enter(this);
    // The red zone belongs to whoever is interrupted here.
    asm volatile(
        "lea -128(%%rsp), %%rsp\n pushfq\n orq $0x100, (%%rsp)\n popfq\n"
        "lea 128(%%rsp), %%rsp"
        :
        :
        : "memory", "cc");
    code();
    asm volatile(
        "lea -128(%%rsp), %%rsp\n pushfq\n andq $~0x100, (%%rsp)\n popfq\n"
        "lea 128(%%rsp), %%rsp"
        :
        :
        : "memory", "cc");
    Enter(outer);
  }

 private:
  // In a signal handler.
  virtual void OnStep() = 0;

  static Stepping* Enter(Stepping* stepping);
  static void OnTrap(int);

  struct sigaction before_;
};

}  // namespace contract

#endif  // TESTS_CONTRACT_STEPPING_H_
