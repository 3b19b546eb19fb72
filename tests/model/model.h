// A small stateless model checker.
//
// A scenario is a few threads and a check at the end. Explore() runs it again
// and again, until every order of the threads' steps was taken, and in each every
// value that a load may find in C++20's memory model, every choice, and every
// place at which a thread can be stopped for good. README.md says what the model
// covers and what it does not.
#ifndef ALCOVE_TESTS_MODEL_MODEL_H_
#define ALCOVE_TESTS_MODEL_MODEL_H_

#include <stddef.h>
#include <stdint.h>

#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace alcove_model {

// ---- What a scenario is ----

struct Thread {
  const char* name;
  void (*body)();
  bool mortal = false;  // whether it may be stopped at any step
};

// How many states there are: so many that mutants go without, or that one asks for
// it by MODEL_LONG=1.
enum class Size { kSmall, kNotMutated, kLong };

struct Scenario {
  const char* name;
  void (*setup)();  // makes all objects anew, before any thread runs
  std::vector<Thread> threads;
  void (*check)();     // when nothing can run any more
  unsigned stops = 1;  // how many mortal threads may be stopped
  Size size = Size::kSmall;
};

// ---- What the threads' code calls ----

// Fails where `condition` is false: this interleaving is one too many.
void Require(bool condition, const char* what);
[[noreturn]] void Fail(const char* what);

// Any of [0, n), one after the other.
unsigned Choose(unsigned n, const char* what);

// In a loop that waits for others: does not go on before something has changed.
// If nothing can any more, it does a few times, for loops that count, and then
// fails.
void Yield();

// Waits until another thread, by its place in the scenario, has ended or was
// stopped, and sees all that it did; whether it was stopped.
bool AwaitEnd(unsigned thread);

// What the kernel says about a thread. It may be gone the moment after.
bool MayBeAlive(unsigned thread);

// Stops all other threads, wherever they are, and sees all that they did: goes on
// as the child of a fork.
void Fork();

// Ends the calling thread.
[[noreturn]] void EndThread();

// Which one calls, by its place.
unsigned Self();

// Whether a thread was stopped; for the check at the end.
bool WasStopped(unsigned thread);

// For readable schedules: what lies at an address, and what is checked for races
// and is where a mortal thread can be stopped between two writes. In `setup`.
void Name(const void* address, const char* name);
void Watch(const void* start, size_t size, const char* name);

// The memory is given back: whoever touches it from now on fails, and so does who
// touched it before without being ordered before this.
void Retire(const void* start);

// ---- What atomics call ----

struct Site {
  const char* file;
  const char* function;
  int line;
};
enum class Rmw { kExchange, kAdd, kSubtract, kOr, kAnd };

uint64_t Load(const void* address, unsigned size, int order, const Site& site);
void Store(void* address, unsigned size, uint64_t value, int order,
           const Site& site);
uint64_t ReadModifyWrite(Rmw rmw, void* address, unsigned size,
                         uint64_t operand, int order, const Site& site);
bool CompareExchange(void* address, unsigned size, uint64_t* expected,
                     uint64_t desired, int order, const Site& site);
// The last value, for the thread that alone writes.
uint64_t Own(const void* address, unsigned size);
// Between two writes: a place to be stopped at.
void Step();

// ---- Exploring ----

// An operation in the source whose order is stronger than relaxed.
struct Place {
  std::string file;  // without folders
  int line;
  std::string function;
  std::string operation;  // "Load", "Exchange", ...
  int order;

  bool operator<(const Place& other) const {
    return std::tie(file, line, operation, function, order) <
           std::tie(other.file, other.line, other.operation, other.function,
                    other.order);
  }
};

// Has the operation at a place take a weaker order.
struct Weakening {
  Place place;
  int order;
};

struct Options {
  uint64_t states_max = 20'000'000;
  const Weakening* weakening = nullptr;
};

struct Result {
  bool failed = false;
  std::string what;          // failed
  std::string schedule;      // step by step, to the failure
  bool complete = true;      // false: given up at states_max
  uint64_t states = 0;       // different states that were reached
  uint64_t ends = 0;         // different executions that ended
  double interleavings = 0;  // ways to get there, all of which are covered
  std::set<Place> places;    // that were reached

  std::string Summary() const;
};

Result Explore(const Scenario& scenario, const Options& options = {});

const char* OrderName(int order);

// The orders that are one step weaker and make sense for such an operation.
std::vector<int> WeakerOrders(const Place& place);

// Zeroed memory for an object that `setup` makes anew, at the same address each
// time.
template <typename T>
class Fresh {
 public:
  T& operator*() { return *get(); }
  T* operator->() { return get(); }
  T* get() { return reinterpret_cast<T*>(bytes_); }
  void Reset() { __builtin_memset(bytes_, 0, sizeof(bytes_)); }

 private:
  alignas(T) unsigned char bytes_[sizeof(T)];
};

}  // namespace alcove_model

#endif  // ALCOVE_TESTS_MODEL_MODEL_H_
