#include "tests/model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>

namespace alcove_model {
namespace {

constexpr unsigned kThreadsMax = 5;
constexpr unsigned kLocationsMax = 48;
constexpr size_t kStackBytes = 128 * 1024;
// How often a thread may go on waiting where nothing can change any more.
constexpr unsigned kVainWaitsMax = 4;
// More steps than any execution has that ends.
constexpr size_t kStepsMax = 1000;

uint64_t AddressOf(const void* address) {
  return reinterpret_cast<uintptr_t>(address);
}

uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t x = a * 0x9e3779b97f4a7c15 ^ (b + 0x7f4a7c159e3779b9);
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
  x = (x ^ x >> 29) * 0xd6e8feb86659fd93;
  return x ^ x >> 32;
}

bool Acquires(int order) {
  return order == __ATOMIC_ACQUIRE || order == __ATOMIC_ACQ_REL ||
         order == __ATOMIC_SEQ_CST;
}
bool Releases(int order) {
  return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL ||
         order == __ATOMIC_SEQ_CST;
}

// What a thread knows of the others: how far each has come, and, of each
// location, the oldest store that it may still read.
struct Clock {
  std::array<uint32_t, kThreadsMax> time = {};
  std::array<uint16_t, kLocationsMax> seen = {};

  void Join(const Clock& other) {
    for (unsigned i = 0; i < kThreadsMax; ++i)
      time[i] = std::max(time[i], other.time[i]);
    for (unsigned i = 0; i < kLocationsMax; ++i)
      seen[i] = std::max(seen[i], other.seen[i]);
  }
};

// One in a location's order of stores, which is that in which they were made.
struct StoreRecord {
  uint64_t value;
  uint64_t hash;
  unsigned thread;  // kThreadsMax: the first value
  Clock message;    // what who acquires it knows then
};

struct Location {
  const void* address;
  unsigned size;
  std::vector<StoreRecord> stores;
  uint16_t sc;     // a sequentially consistent load reads this or a later one
  uint64_t chain;  // a hash of the stores
};

enum class Kind {
  kStep,  // of plain code: nobody notices, but a thread can be stopped here
  kLoad,
  kStore,
  kRmw,
  kCompareExchange,
  kChoose,
  kYield,
  kAwaitEnd,
  kMayBeAlive,
  kFork,
};

struct Operation {
  Kind kind;
  void* address = nullptr;
  unsigned size = 0;
  int order = __ATOMIC_RELAXED;
  Site site = {};
  Rmw rmw = Rmw::kExchange;
  uint64_t operand = 0;
  uint64_t expected = 0;
  const char* what = "";
  // Once it is done.
  uint64_t result = 0;
  bool success = false;
};

enum class Status { kRuns, kEnded, kStopped };

struct Fiber {
  void* stack_pointer = nullptr;
  std::unique_ptr<char[]> stack;
  Status status = Status::kRuns;
  Operation operation;
  Clock clock;
  Clock last_words;        // of one that is gone, for whoever hears of it
  uint64_t chain = 0;      // a hash of what it did and found
  unsigned steps = 0;      // plain ones since
  uint64_t changes = 0;    // that it made
  uint64_t waited_at = 0;  // changes by others at its last Yield, plus 1
  unsigned vain_waits = 0;
  std::array<bool, kThreadsMax> told = {};  // who is gone
};

struct Region {
  const char* start;
  size_t size;
  const char* name;
  bool retired;
  struct Byte {
    unsigned writer = kThreadsMax;
    uint32_t written = 0;
    std::array<uint32_t, kThreadsMax> read = {};
  };
  std::vector<Byte> bytes;
};

struct Failure {};

struct Action {
  unsigned thread;
  bool stop;
  unsigned choice;
};

struct Frame {
  uint64_t hash;
  unsigned actions;
  unsigned next;
  double interleavings;
};

struct Engine {
  const Scenario* scenario = nullptr;
  Options options;
  Result result;
  Fiber fibers[kThreadsMax];
  unsigned threads = 0;
  int current = -1;  // -1: none of the threads
  void* scheduler = nullptr;
  std::vector<Location> locations;
  unsigned locations_used = 0;
  std::vector<Region> regions;
  std::vector<std::pair<const void*, const char*>> names;
  unsigned stops_left = 0;
  uint64_t changes = 0;
  size_t loads_outside = 0;  // of the threads
  bool failed = false;
  std::string what;
  bool tracing = false;
  std::string trace;
  unsigned trace_step = 0;
  std::pair<const char*, int> last_place = {};  // that was noted
};

Engine* g = nullptr;

}  // namespace

extern "C" void alcove_model_switch(void** from, void* to);
asm(R"(
.text
.globl alcove_model_switch
.type alcove_model_switch,@function
alcove_model_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size alcove_model_switch,.-alcove_model_switch
)");

namespace {

// ---- Words ----

const char* FileOf(const char* path) {
  const char* const slash = strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

const char* OperationName(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kLoad:
      return "Load";
    case Kind::kStore:
      return "Store";
    case Kind::kCompareExchange:
      return "CompareExchange";
    case Kind::kRmw:
      switch (operation.rmw) {
        case Rmw::kExchange:
          return "Exchange";
        case Rmw::kAdd:
          return "FetchAdd";
        case Rmw::kSubtract:
          return "FetchSub";
        case Rmw::kOr:
          return "FetchOr";
        case Rmw::kAnd:
          return "FetchAnd";
      }
      return "?";
    default:
      return "?";
  }
}

std::string NameOf(const void* address) {
  for (const auto& [named, name] : g->names) {
    if (named == address) return name;
  }
  for (const Region& region : g->regions) {
    const auto offset = static_cast<const char*>(address) - region.start;
    if (offset >= 0 && offset < static_cast<ptrdiff_t>(region.size))
      return std::string(region.name) + "+" + std::to_string(offset);
  }
  char text[32];
  snprintf(text, sizeof(text), "%p", address);
  return text;
}

// A value, or what lies there if it is an address.
std::string ValueOf(uint64_t value) {
  if (value > 0xffff) {
    for (const auto& [named, name] : g->names) {
      if (AddressOf(named) == value) return std::string("&") + name;
    }
  }
  char text[32];
  snprintf(text, sizeof(text), value < 1000 ? "%llu" : "0x%llx",
           static_cast<unsigned long long>(value));
  return text;
}

void Trace(unsigned thread, const std::string& text) {
  if (!g->tracing) return;
  char head[64];
  snprintf(head, sizeof(head), "%3u. %-10s ", ++g->trace_step,
           g->scenario->threads[thread].name);
  g->trace += head + text + "\n";
}

// Without what a template was made for.
std::string FunctionOf(const char* function) {
  return std::string(function, strcspn(function, "<("));
}

void SetFailed(const std::string& what) {
  if (g->failed) return;
  g->failed = true;
  g->what = what;
}

// ---- Threads ----

// Back to the scheduler, until the operation is chosen and done.
void Suspend() {
  Fiber& fiber = g->fibers[g->current];
  alcove_model_switch(&fiber.stack_pointer, g->scheduler);
}

[[noreturn]] void Leave(Status status) {
  Fiber& fiber = g->fibers[g->current];
  fiber.status = status;
  Suspend();
  abort();
}

void Main() {
  g->scenario->threads[static_cast<unsigned>(g->current)].body();
  Leave(Status::kEnded);
}

void Resume(unsigned thread) {
  Fiber& fiber = g->fibers[thread];
  g->current = static_cast<int>(thread);
  alcove_model_switch(&g->scheduler, fiber.stack_pointer);
  g->current = -1;
  if (fiber.status == Status::kEnded) {
    fiber.last_words = fiber.clock;
    ++fiber.changes;
    ++g->changes;
  }
}

void Start(unsigned thread) {
  Fiber& fiber = g->fibers[thread];
  if (fiber.stack == nullptr) fiber.stack.reset(new char[kStackBytes]);
  auto top = reinterpret_cast<uintptr_t>(fiber.stack.get() + kStackBytes);
  top &= ~uintptr_t{15};
  auto** const words = reinterpret_cast<void**>(top);
  // At Main's first instruction the stack is as behind a call.
  words[-1] = nullptr;
  words[-2] = reinterpret_cast<void*>(&Main);
  for (int i = 3; i <= 8; ++i) words[-i] = nullptr;
  fiber.stack_pointer = &words[-8];
  fiber.status = Status::kRuns;
  fiber.operation = {};
  fiber.clock = {};
  fiber.clock.time[thread] = 1;
  fiber.last_words = {};
  fiber.chain = Mix(thread, 1);
  fiber.steps = 0;
  fiber.changes = 0;
  fiber.waited_at = 0;
  fiber.vain_waits = 0;
  fiber.told = {};
}

bool InThread() { return g != nullptr && g->current >= 0; }

void Do(Operation* operation) {
  g->fibers[g->current].operation = *operation;
  Suspend();
  *operation = g->fibers[g->current].operation;
}

// ---- Memory ----

uint64_t ReadPlain(const void* address, unsigned size) {
  uint64_t value = 0;
  memcpy(&value, address, size);
  return value;
}

void WritePlain(void* address, unsigned size, uint64_t value) {
  memcpy(address, &value, size);
}

uint64_t Narrow(uint64_t value, unsigned size) {
  return size == 8 ? value : value & ((uint64_t{1} << size * 8) - 1);
}

uint64_t Applied(Rmw rmw, uint64_t before, uint64_t operand, unsigned size) {
  switch (rmw) {
    case Rmw::kExchange:
      return operand;
    case Rmw::kAdd:
      return Narrow(before + operand, size);
    case Rmw::kSubtract:
      return Narrow(before - operand, size);
    case Rmw::kOr:
      return before | operand;
    case Rmw::kAnd:
      return before & operand;
  }
  return 0;
}

unsigned IndexOf(const void* address, unsigned size) {
  for (unsigned i = 0; i < g->locations_used; ++i) {
    if (g->locations[i].address != address) continue;
    if (g->locations[i].size != size) SetFailed("an atomic of two sizes");
    return i;
  }
  if (g->locations_used == kLocationsMax) {
    fprintf(stderr, "model: more than %u atomics\n", kLocationsMax);
    abort();
  }
  if (g->locations_used == g->locations.size()) g->locations.emplace_back();
  Location& location = g->locations[g->locations_used];
  location.address = address;
  location.size = size;
  location.stores.clear();
  location.stores.push_back({ReadPlain(address, size), 0, kThreadsMax, {}});
  location.sc = 0;
  location.chain = Mix(AddressOf(address), location.stores[0].value);
  return g->locations_used++;
}

uint16_t Oldest(const Fiber& fiber, unsigned index, int order) {
  const uint16_t own = fiber.clock.seen[index];
  return order == __ATOMIC_SEQ_CST ? std::max(own, g->locations[index].sc)
                                   : own;
}

void AppendStore(unsigned thread, unsigned index, uint64_t value, int order,
                 const Clock* continued) {
  Fiber& fiber = g->fibers[thread];
  Location& location = g->locations[index];
  const auto place = static_cast<uint16_t>(location.stores.size());
  fiber.clock.seen[index] = place;
  StoreRecord store = {value, 0, thread, {}};
  if (continued != nullptr) store.message = *continued;
  if (Releases(order)) store.message.Join(fiber.clock);
  store.hash = Mix(fiber.chain, value);
  location.chain = Mix(location.chain, store.hash);
  if (order == __ATOMIC_SEQ_CST) location.sc = place;
  location.stores.push_back(store);
  WritePlain(const_cast<void*>(location.address), location.size, value);
  ++fiber.changes;
  ++g->changes;
}

const StoreRecord& ReadStore(unsigned thread, unsigned index, unsigned place,
                             int order) {
  Fiber& fiber = g->fibers[thread];
  Location& location = g->locations[index];
  const StoreRecord& store = location.stores[place];
  fiber.clock.seen[index] = static_cast<uint16_t>(place);
  if (Acquires(order)) fiber.clock.Join(store.message);
  if (order == __ATOMIC_SEQ_CST)
    location.sc = std::max(location.sc, static_cast<uint16_t>(place));
  fiber.chain = Mix(fiber.chain, store.hash + place);
  return store;
}

std::string Teller(const StoreRecord& store) {
  return store.thread == kThreadsMax
             ? "as set up"
             : std::string("by ") + g->scenario->threads[store.thread].name;
}

int OrderFor(const Operation& operation) {
  const Weakening* const weakening = g->options.weakening;
  if (weakening == nullptr || operation.site.line != weakening->place.line ||
      weakening->place.operation != OperationName(operation) ||
      weakening->place.file != FileOf(operation.site.file)) {
    return operation.order;
  }
  return weakening->order;
}

// How many ways there are to do an operation. For a load or a failing
// comparison, the first is to read the last store.
unsigned Choices(unsigned thread) {
  Fiber& fiber = g->fibers[thread];
  const Operation& operation = fiber.operation;
  switch (operation.kind) {
    case Kind::kChoose:
      return static_cast<unsigned>(operation.operand);
    case Kind::kLoad: {
      const unsigned index = IndexOf(operation.address, operation.size);
      return static_cast<unsigned>(g->locations[index].stores.size()) -
             Oldest(fiber, index, OrderFor(operation));
    }
    case Kind::kCompareExchange: {
      const unsigned index = IndexOf(operation.address, operation.size);
      const Location& location = g->locations[index];
      unsigned count = 1;
      for (unsigned i = Oldest(fiber, index, __ATOMIC_RELAXED);
           i + 1 < location.stores.size(); ++i) {
        count += location.stores[i].value != operation.expected;
      }
      return count;
    }
    case Kind::kMayBeAlive: {
      // That it is alive may be an answer of a moment ago.
      const Fiber& other = g->fibers[operation.operand];
      const bool must_know = fiber.told[operation.operand] ||
                             fiber.clock.time[operation.operand] >=
                                 other.last_words.time[operation.operand];
      return other.status == Status::kRuns || must_know ? 1 : 2;
    }
    default:
      return 1;
  }
}

void Perform(unsigned thread, unsigned choice) {
  Fiber& fiber = g->fibers[thread];
  Operation& operation = fiber.operation;
  if (operation.kind == Kind::kStep) {
    ++fiber.steps;
    return;
  }
  fiber.steps = 0;
  const int order = OrderFor(operation);
  fiber.chain = Mix(fiber.chain, static_cast<uint64_t>(operation.kind) << 8 |
                                     static_cast<uint64_t>(order) << 4);
  std::string text;
  if (operation.kind == Kind::kLoad || operation.kind == Kind::kStore ||
      operation.kind == Kind::kRmw ||
      operation.kind == Kind::kCompareExchange) {
    fiber.chain = Mix(fiber.chain, AddressOf(operation.address));
    const unsigned index = IndexOf(operation.address, operation.size);
    Location& location = g->locations[index];
    const unsigned last = static_cast<unsigned>(location.stores.size()) - 1;
    if (operation.order != __ATOMIC_RELAXED) {
      const std::pair<const char*, int> place = {operation.site.file,
                                                 operation.site.line};
      if (g->last_place != place) {
        g->last_place = place;
        g->result.places.insert({FileOf(place.first), place.second,
                                 FunctionOf(operation.site.function),
                                 OperationName(operation), operation.order});
      }
    }
    if (g->tracing) {
      text = std::string(FileOf(operation.site.file)) + ":" +
             std::to_string(operation.site.line) + " " +
             FunctionOf(operation.site.function) + ": " +
             NameOf(operation.address) + "." + OperationName(operation) + "(";
    }
    switch (operation.kind) {
      case Kind::kLoad: {
        const StoreRecord& store =
            ReadStore(thread, index, last - choice, order);
        operation.result = store.value;
        if (g->tracing) {
          text += std::string(OrderName(order)) + ") reads " +
                  ValueOf(store.value) + " " + Teller(store) +
                  (choice == 0 ? "" : ", an old value");
        }
        break;
      }
      case Kind::kStore:
        AppendStore(thread, index, operation.operand, order, nullptr);
        if (g->tracing)
          text += ValueOf(operation.operand) + ", " + OrderName(order) + ")";
        break;
      case Kind::kRmw: {
        const StoreRecord& before = ReadStore(thread, index, last, order);
        operation.result = before.value;
        const Clock message = before.message;
        if (g->tracing) {
          text += ValueOf(operation.operand) + ", " + OrderName(order) +
                  ") reads " + ValueOf(before.value) + " " + Teller(before);
        }
        AppendStore(thread, index,
                    Applied(operation.rmw, operation.result, operation.operand,
                            operation.size),
                    order, &message);
        break;
      }
      default: {
        unsigned place = last;
        if (choice != 0) {
          for (place = last - 1;; --place) {
            if (location.stores[place].value == operation.expected) continue;
            if (--choice == 0) break;
          }
        }
        const bool success =
            place == last && location.stores[last].value == operation.expected;
        const StoreRecord& before =
            ReadStore(thread, index, place, success ? order : __ATOMIC_RELAXED);
        if (g->tracing) {
          text += ValueOf(operation.expected) + " -> " +
                  ValueOf(operation.operand) + ", " + OrderName(order) + ") ";
          text +=
              success ? "succeeds" : "fails, reads " + ValueOf(before.value);
          text += " " + Teller(before);
        }
        operation.result = before.value;
        operation.success = success;
        if (success) {
          const Clock message = before.message;
          AppendStore(thread, index, operation.operand, order, &message);
        }
        break;
      }
    }
  } else if (operation.kind == Kind::kChoose) {
    operation.result = choice;
    fiber.chain = Mix(fiber.chain, choice);
    if (g->tracing)
      text = std::string("chooses ") + std::to_string(choice) + ": " +
             operation.what;
  } else if (operation.kind == Kind::kYield) {
    fiber.waited_at = g->changes - fiber.changes + 1;
    uint64_t all = 0;
    for (unsigned i = 0; i < g->locations_used; ++i) {
      if (g->locations[i].stores.size() != 1) all += g->locations[i].chain;
    }
    for (unsigned t = 0; t < g->threads; ++t)
      all += Mix(t, static_cast<uint64_t>(g->fibers[t].status));
    fiber.chain = Mix(fiber.chain, all);
    if (operation.success) {  // in vain: what others wrote arrives in the end
      ++fiber.vain_waits;
      for (unsigned t = 0; t < g->threads; ++t)
        fiber.told[t] = g->fibers[t].status != Status::kRuns;
      for (unsigned i = 0; i < g->locations_used; ++i) {
        fiber.clock.seen[i] =
            static_cast<uint16_t>(g->locations[i].stores.size() - 1);
      }
      fiber.chain = Mix(fiber.chain, fiber.vain_waits);
      if (fiber.vain_waits > kVainWaitsMax) SetFailed("waits for ever");
    } else {
      fiber.vain_waits = 0;
    }
    if (g->tracing) text = "waits";
  } else if (operation.kind == Kind::kAwaitEnd) {
    Fiber& other = g->fibers[operation.operand];
    fiber.clock.Join(other.last_words);
    operation.result = other.status == Status::kStopped;
    fiber.chain = Mix(fiber.chain, other.chain + operation.result);
    if (g->tracing)
      text = std::string("sees the end of ") +
             g->scenario->threads[operation.operand].name;
  } else if (operation.kind == Kind::kMayBeAlive) {
    Fiber& other = g->fibers[operation.operand];
    const bool alive = other.status == Status::kRuns || choice != 0;
    operation.result = alive;
    fiber.chain = Mix(fiber.chain, alive);
    if (!alive) {
      fiber.clock.Join(other.last_words);
      fiber.chain = Mix(fiber.chain, other.chain);
    }
    if (g->tracing)
      text = std::string("asks for ") +
             g->scenario->threads[operation.operand].name +
             (alive ? ": alive" : ": gone");
  } else if (operation.kind == Kind::kFork) {
    for (unsigned t = 0; t < g->threads; ++t) {
      Fiber& other = g->fibers[t];
      if (t == thread) continue;
      if (other.status == Status::kRuns) {
        other.status = Status::kStopped;
        other.last_words = other.clock;
      }
      fiber.clock.Join(other.last_words);
      fiber.chain = Mix(fiber.chain, other.chain + other.steps);
    }
    for (unsigned i = 0; i < g->locations_used; ++i) {
      fiber.clock.seen[i] =
          static_cast<uint16_t>(g->locations[i].stores.size() - 1);
    }
    if (g->tracing) text = "forks; from here on in the child, alone";
  }
  if (g->tracing) Trace(thread, text);
  ++fiber.clock.time[thread];
}

// ---- Plain data ----

void Touch(const void* address, size_t size, bool write) {
  if (!InThread()) return;
  const auto thread = static_cast<unsigned>(g->current);
  for (Region& region : g->regions) {
    const auto offset = static_cast<const char*>(address) - region.start;
    if (offset < 0 || offset >= static_cast<ptrdiff_t>(region.size)) continue;
    if (write) Step();
    if (region.retired)
      Fail(("used after it was given back: " + NameOf(address)).c_str());
    const Clock& clock = g->fibers[thread].clock;
    for (size_t i = 0; i < size && offset + i < region.size; ++i) {
      Region::Byte& byte = region.bytes[static_cast<size_t>(offset) + i];
      bool race = byte.writer != kThreadsMax && byte.writer != thread &&
                  byte.written > clock.time[byte.writer];
      if (write) {
        for (unsigned t = 0; t < g->threads; ++t)
          race |= t != thread && byte.read[t] > clock.time[t];
        byte.writer = thread;
        byte.written = clock.time[thread];
      } else {
        byte.read[thread] = clock.time[thread];
      }
      if (race) {
        Fail(("data race: a " + std::string(write ? "write to " : "read of ") +
              NameOf(static_cast<const char*>(address) + i))
                 .c_str());
      }
    }
    if (write && g->tracing)
      Trace(thread,
            "writes " + std::to_string(size) + " bytes at " + NameOf(address));
    return;
  }
}

void CheckAlive(const void* address) {
  if (!InThread()) return;
  for (const Region& region : g->regions) {
    const auto offset = static_cast<const char*>(address) - region.start;
    if (region.retired && offset >= 0 &&
        offset < static_cast<ptrdiff_t>(region.size)) {
      Fail(("used after it was given back: " + NameOf(address)).c_str());
    }
  }
}

// ---- Exploring ----

// What can happen next. Empty where all are done, or wait for each other.
void FindActions(std::vector<Action>* actions) {
  actions->clear();
  // Steps that nobody notices are taken at once, before all else: the others
  // cannot tell, and what they are told of a thread that is gone may be old.
  for (unsigned t = 0; t < g->threads; ++t) {
    const Fiber& fiber = g->fibers[t];
    if (fiber.status != Status::kRuns || fiber.operation.kind != Kind::kStep)
      continue;
    actions->push_back({t, false, 0});
    if (g->stops_left != 0) actions->push_back({t, true, 0});
    return;
  }
  bool waits = false;
  for (unsigned t = 0; t < g->threads; ++t) {
    Fiber& fiber = g->fibers[t];
    if (fiber.status != Status::kRuns) continue;
    Operation& operation = fiber.operation;
    if (operation.kind == Kind::kYield) {
      operation.success = false;
      waits = true;
      if (g->changes - fiber.changes + 1 <= fiber.waited_at) continue;
    }
    if (operation.kind == Kind::kAwaitEnd &&
        g->fibers[operation.operand].status == Status::kRuns) {
      continue;
    }
    const unsigned choices = Choices(t);
    for (unsigned i = 0; i < choices; ++i) actions->push_back({t, false, i});
  }
  if (actions->empty() && waits) {
    for (unsigned t = 0; t < g->threads; ++t) {
      Fiber& fiber = g->fibers[t];
      if (fiber.status != Status::kRuns ||
          fiber.operation.kind != Kind::kYield) {
        continue;
      }
      fiber.operation.success = true;
      actions->push_back({t, false, 0});
    }
  }
  if (g->stops_left == 0) return;
  for (unsigned t = 0; t < g->threads; ++t) {
    const Fiber& fiber = g->fibers[t];
    if (fiber.status == Status::kRuns && g->scenario->threads[t].mortal)
      actions->push_back({t, true, 0});
  }
}

uint64_t StateHash() {
  uint64_t hash = g->stops_left;
  for (unsigned t = 0; t < g->threads; ++t) {
    const Fiber& fiber = g->fibers[t];
    uint64_t own = Mix(fiber.chain, static_cast<uint64_t>(fiber.status));
    if (fiber.status != Status::kRuns || fiber.operation.kind == Kind::kStep)
      own = Mix(own, fiber.steps + 1);
    hash += Mix(own, t + 100);
  }
  for (unsigned i = 0; i < g->locations_used; ++i) {
    const Location& location = g->locations[i];
    if (location.stores.size() == 1 && location.sc == 0) continue;
    hash += Mix(location.chain, location.sc);
  }
  return hash;
}

void StopThread(unsigned thread) {
  Fiber& fiber = g->fibers[thread];
  fiber.status = Status::kStopped;
  fiber.last_words = fiber.clock;
  ++fiber.changes;
  ++g->changes;
  --g->stops_left;
  Trace(thread, "is stopped here");
}

void Begin() {
  g->locations_used = 0;
  g->regions.clear();
  g->names.clear();
  g->stops_left = g->scenario->stops;
  g->changes = 0;
  g->loads_outside = 0;
  g->trace.clear();
  g->trace_step = 0;
  g->scenario->setup();
  for (unsigned t = 0; t < g->threads; ++t) Start(t);
  for (unsigned t = 0; t < g->threads && !g->failed; ++t) Resume(t);
}

void Take(const Action& action) {
  if (action.stop) {
    StopThread(action.thread);
    return;
  }
  Perform(action.thread, action.choice);
  if (!g->failed) Resume(action.thread);
}

// Whether all threads are done; fails where one waits for ever.
void Finish() {
  for (unsigned t = 0; t < g->threads; ++t) {
    const Fiber& fiber = g->fibers[t];
    if (fiber.status == Status::kRuns &&
        fiber.operation.kind != Kind::kAwaitEnd) {
      SetFailed("a thread is stuck");
    }
  }
  if (g->failed || g->scenario->check == nullptr) return;
  try {
    g->scenario->check();
  } catch (const Failure&) {
  }
}

std::string ScheduleOf(const std::vector<Frame>& frames) {
  g->tracing = true;
  g->failed = false;
  std::vector<Action> actions;
  Begin();
  for (size_t depth = 0; !g->failed; ++depth) {
    FindActions(&actions);
    if (actions.empty()) {
      Finish();
      break;
    }
    if (depth >= frames.size() || depth == kStepsMax) break;
    Take(actions[frames[depth].next]);
  }
  g->tracing = false;
  return g->trace;
}

}  // namespace

// ---- What the threads' code calls ----

void Fail(const char* what) {
  SetFailed(what);
  if (!InThread()) throw Failure();
  Leave(Status::kEnded);
}

void Require(bool condition, const char* what) {
  if (!condition) Fail(what);
}

unsigned Choose(unsigned n, const char* what) {
  Operation operation = {Kind::kChoose};
  operation.operand = n;
  operation.what = what;
  Do(&operation);
  return static_cast<unsigned>(operation.result);
}

void Yield() {
  Operation operation = {Kind::kYield};
  Do(&operation);
}

bool AwaitEnd(unsigned thread) {
  Operation operation = {Kind::kAwaitEnd};
  operation.operand = thread;
  Do(&operation);
  return operation.result != 0;
}

bool MayBeAlive(unsigned thread) {
  Operation operation = {Kind::kMayBeAlive};
  operation.operand = thread;
  Do(&operation);
  return operation.result != 0;
}

void Fork() {
  Operation operation = {Kind::kFork};
  Do(&operation);
}

void EndThread() { Leave(Status::kEnded); }

unsigned Self() { return static_cast<unsigned>(g->current); }

bool WasStopped(unsigned thread) {
  return g->fibers[thread].status == Status::kStopped;
}

void Name(const void* address, const char* name) {
  g->names.emplace_back(address, name);
}

void Watch(const void* start, size_t size, const char* name) {
  Region region = {static_cast<const char*>(start), size, name, false, {}};
  region.bytes.resize(size);
  g->regions.push_back(std::move(region));
}

void Retire(const void* start) {
  for (Region& region : g->regions) {
    if (region.start != start) continue;
    Touch(start, region.size, true);
    region.retired = true;
  }
}

// ---- What atomics call ----

uint64_t Load(const void* address, unsigned size, int order, const Site& site) {
  if (!InThread()) {
    if (g != nullptr && ++g->loads_outside > kStepsMax)
      Fail("goes on for ever, when all is quiet");
    return ReadPlain(address, size);
  }
  CheckAlive(address);
  Operation operation = {Kind::kLoad};
  operation.address = const_cast<void*>(address);
  operation.size = size;
  operation.order = order;
  operation.site = site;
  Do(&operation);
  return operation.result;
}

void Store(void* address, unsigned size, uint64_t value, int order,
           const Site& site) {
  if (!InThread()) return WritePlain(address, size, value);
  CheckAlive(address);
  Operation operation = {Kind::kStore};
  operation.address = address;
  operation.size = size;
  operation.order = order;
  operation.site = site;
  operation.operand = value;
  Do(&operation);
}

uint64_t ReadModifyWrite(Rmw rmw, void* address, unsigned size,
                         uint64_t operand, int order, const Site& site) {
  if (!InThread()) {
    const uint64_t before = ReadPlain(address, size);
    WritePlain(address, size, Applied(rmw, before, operand, size));
    return before;
  }
  CheckAlive(address);
  Operation operation = {Kind::kRmw};
  operation.address = address;
  operation.size = size;
  operation.order = order;
  operation.site = site;
  operation.rmw = rmw;
  operation.operand = operand;
  Do(&operation);
  return operation.result;
}

bool CompareExchange(void* address, unsigned size, uint64_t* expected,
                     uint64_t desired, int order, const Site& site) {
  if (!InThread()) {
    const uint64_t before = ReadPlain(address, size);
    const bool same = before == *expected;
    if (same) WritePlain(address, size, desired);
    *expected = before;
    return same;
  }
  CheckAlive(address);
  Operation operation = {Kind::kCompareExchange};
  operation.address = address;
  operation.size = size;
  operation.order = order;
  operation.site = site;
  operation.operand = desired;
  operation.expected = *expected;
  Do(&operation);
  *expected = operation.result;
  return operation.success;
}

uint64_t Own(const void* address, unsigned size) {
  return ReadPlain(address, size);
}

void Step() {
  if (!InThread() || g->stops_left == 0 ||
      !g->scenario->threads[static_cast<unsigned>(g->current)].mortal) {
    return;
  }
  Operation operation = {Kind::kStep};
  Do(&operation);
}

// ---- Exploring ----

const char* OrderName(int order) {
  switch (order) {
    case __ATOMIC_RELAXED:
      return "relaxed";
    case __ATOMIC_ACQUIRE:
      return "acquire";
    case __ATOMIC_RELEASE:
      return "release";
    case __ATOMIC_ACQ_REL:
      return "acq_rel";
    case __ATOMIC_SEQ_CST:
      return "seq_cst";
    default:
      return "?";
  }
}

std::vector<int> WeakerOrders(const Place& place) {
  switch (place.order) {
    case __ATOMIC_SEQ_CST:
      if (place.operation == "Load") return {__ATOMIC_ACQUIRE};
      if (place.operation == "Store") return {__ATOMIC_RELEASE};
      return {__ATOMIC_ACQ_REL};
    case __ATOMIC_ACQ_REL:
      return {__ATOMIC_ACQUIRE, __ATOMIC_RELEASE};
    case __ATOMIC_ACQUIRE:
    case __ATOMIC_RELEASE:
      return {__ATOMIC_RELAXED};
    default:
      return {};
  }
}

std::string Result::Summary() const {
  char text[200];
  snprintf(text, sizeof(text),
           "%.4g interleavings, %llu executions that differ, %llu states%s",
           interleavings, static_cast<unsigned long long>(ends),
           static_cast<unsigned long long>(states),
           complete ? "" : ", given up");
  return text;
}

Result Explore(const Scenario& scenario, const Options& options) {
  auto engine = std::make_unique<Engine>();
  g = engine.get();
  g->scenario = &scenario;
  g->options = options;
  g->threads = static_cast<unsigned>(scenario.threads.size());
  if (g->threads > kThreadsMax) abort();
  g->locations.reserve(kLocationsMax);
  std::unordered_map<uint64_t, double> visited;
  std::vector<Frame> frames;
  std::vector<Action> actions;
  do {
    Begin();
    double interleavings = 0;  // of what this run ends in
    for (size_t depth = 0; !g->failed; ++depth) {
      if (depth == kStepsMax) {
        SetFailed("goes on for ever");
        break;
      }
      FindActions(&actions);
      if (depth < frames.size()) {
        if (actions.size() != frames[depth].actions) {
          fprintf(stderr, "model: %s does not repeat itself\n", scenario.name);
          abort();
        }
        Take(actions[frames[depth].next]);
        continue;
      }
      const uint64_t hash = StateHash();
      const auto seen = visited.find(hash);
      if (seen != visited.end()) {
        interleavings = seen->second;
        break;
      }
      ++g->result.states;
      if (actions.empty()) {
        Finish();
        ++g->result.ends;
        interleavings = 1;
        visited.emplace(hash, 1);
        break;
      }
      frames.push_back({hash, static_cast<unsigned>(actions.size()), 0, 0});
      Take(actions[0]);
    }
    if (g->failed) {
      g->result.failed = true;
      g->result.what = g->what;
      g->result.schedule = ScheduleOf(frames);
      break;
    }
    if (g->result.states > options.states_max) {
      g->result.complete = false;
      break;
    }
    for (;;) {
      if (frames.empty()) {
        g->result.interleavings = interleavings;
        break;
      }
      Frame& frame = frames.back();
      frame.interleavings += interleavings;
      if (++frame.next < frame.actions) break;
      interleavings = frame.interleavings;
      visited.emplace(frame.hash, interleavings);
      frames.pop_back();
    }
  } while (!frames.empty());
  Result result = std::move(g->result);
  g = nullptr;
  return result;
}

}  // namespace alcove_model

// ---- What the compiler calls for -fsanitize=thread ----
//
// Code that is compiled with it, and not linked with the sanitizer's library,
// tells of each plain access here.

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
#define ALCOVE_MODEL_ACCESS(size)                         \
  void __tsan_read##size(void* address) {                 \
    alcove_model::Touch(address, size, false);            \
  }                                                       \
  void __tsan_write##size(void* address) {                \
    alcove_model::Touch(address, size, true);             \
  }                                                       \
  void __tsan_unaligned_read##size(void* address) {       \
    alcove_model::Touch(address, size, false);            \
  }                                                       \
  void __tsan_unaligned_write##size(void* address) {      \
    alcove_model::Touch(address, size, true);             \
  }                                                       \
  void __tsan_read_write##size(void* address) {           \
    alcove_model::Touch(address, size, true);             \
  }                                                       \
  void __tsan_unaligned_read_write##size(void* address) { \
    alcove_model::Touch(address, size, true);             \
  }
ALCOVE_MODEL_ACCESS(1)
ALCOVE_MODEL_ACCESS(2)
ALCOVE_MODEL_ACCESS(4)
ALCOVE_MODEL_ACCESS(8)
ALCOVE_MODEL_ACCESS(16)
void __tsan_read_range(void* address, size_t size) {
  alcove_model::Touch(address, size, false);
}
void __tsan_write_range(void* address, size_t size) {
  alcove_model::Touch(address, size, true);
}
void* __tsan_memset(void* to, int byte, size_t size) {
  alcove_model::Touch(to, size, true);
  return memset(to, byte, size);
}
void* __tsan_memcpy(void* to, const void* from, size_t size) {
  alcove_model::Touch(from, size, false);
  alcove_model::Touch(to, size, true);
  return memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, size_t size) {
  alcove_model::Touch(from, size, false);
  alcove_model::Touch(to, size, true);
  return memmove(to, from, size);
}
// The class map, which is no part of what is modelled; and what the C++ library
// has in its headers.
uint8_t __tsan_atomic8_load(const volatile uint8_t* word, int) { return *word; }
uint32_t __tsan_atomic32_load(const volatile uint32_t* word, int) {
  return *word;
}
void __tsan_atomic32_store(volatile uint32_t* word, uint32_t value, int) {
  *word = value;
}
// The core's memset, under another name beside a libc.
void* model_memset(void* to, int byte, size_t size) {
  alcove_model::Touch(to, size, true);
  return memset(to, byte, size);
}
}
