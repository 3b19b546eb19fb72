#include "tests/model/litmus.h"

#include "tests/model/atomic.h"

namespace alcove_model {
namespace {

using ALCOVE_CORE_NAMESPACE::Atomic;
using ALCOVE_CORE_NAMESPACE::Order;

struct World {
  Atomic<uint32_t> x, y;
  uint64_t data;
  uint32_t seen[4];  // by each thread for itself
};
Fresh<World> world;
Order store_order, load_order;
bool flag;

void Setup() {
  world.Reset();
  Name(&world->x, "x");
  Name(&world->y, "y");
  Watch(&world->data, sizeof(world->data), "data");
}

Result Run(Scenario scenario) {
  scenario.setup = Setup;
  return Explore(scenario);
}

}  // namespace

Result MessagePassing(int store, int load) {
  store_order = Order{store};
  load_order = Order{load};
  return Run({"message passing",
              nullptr,
              {{"sender",
                [] {
                  world->data = 7;
                  world->x.Store(1, store_order);
                }},
               {"receiver",
                [] {
                  if (world->x.Load(load_order) == 1)
                    Require(world->data == 7, "the message is missing");
                }}},
              nullptr});
}

Result ReleaseSequence(int add) {
  store_order = Order{add};
  return Run({"release sequence",
              nullptr,
              {{"sender",
                [] {
                  world->data = 7;
                  world->x.Store(1, Order::kRelease);
                }},
               {"between",
                [] {
                  if (flag) {
                    world->x.Store(2, Order::kRelaxed);
                  } else {
                    world->x.FetchAdd(1, store_order);
                  }
                }},
               {"receiver",
                [] {
                  if (world->x.Load(Order::kAcquire) == 2)
                    Require(world->data == 7, "the message is missing");
                }}},
              nullptr});
}

Result StoreBuffering(int store, int load) {
  store_order = Order{store};
  load_order = Order{load};
  return Run({"store buffering",
              nullptr,
              {{"A",
                [] {
                  world->x.Store(1, store_order);
                  world->seen[0] = world->y.Load(load_order);
                }},
               {"B",
                [] {
                  world->y.Store(1, store_order);
                  world->seen[1] = world->x.Load(load_order);
                }}},
              [] {
                Require(world->seen[0] + world->seen[1] != 0,
                        "both missed the other's store");
              }});
}

Result LoadBuffering() {
  return Run({"load buffering",
              nullptr,
              {{"A",
                [] {
                  world->seen[0] = world->x.Load(Order::kRelaxed);
                  world->y.Store(1, Order::kRelaxed);
                }},
               {"B",
                [] {
                  world->seen[1] = world->y.Load(Order::kRelaxed);
                  world->x.Store(1, Order::kRelaxed);
                }}},
              [] {
                Require(world->seen[0] + world->seen[1] != 2,
                        "both read the other's later store");
              }});
}

Result TwoPlusTwoWrites() {
  return Run({"2+2W",
              nullptr,
              {{"A",
                [] {
                  world->x.Store(1, Order::kRelaxed);
                  world->y.Store(2, Order::kRelaxed);
                }},
               {"B",
                [] {
                  world->y.Store(1, Order::kRelaxed);
                  world->x.Store(2, Order::kRelaxed);
                }}},
              [] {
                Require(world->x.Own() != 1 || world->y.Own() != 1,
                        "both first stores are the last");
              }});
}

Result IndependentReads(int store, int load) {
  store_order = Order{store};
  load_order = Order{load};
  return Run({"IRIW",
              nullptr,
              {{"X", [] { world->x.Store(1, store_order); }},
               {"Y", [] { world->y.Store(1, store_order); }},
               {"A",
                [] {
                  world->seen[0] = world->x.Load(load_order);
                  world->seen[1] = world->y.Load(load_order);
                }},
               {"B",
                [] {
                  world->seen[2] = world->y.Load(load_order);
                  world->seen[3] = world->x.Load(load_order);
                }}},
              [] {
                Require(!(world->seen[0] == 1 && world->seen[1] == 0 &&
                          world->seen[2] == 1 && world->seen[3] == 0),
                        "they disagree about the order");
              }});
}

Result Coherence() {
  return Run({"coherence",
              nullptr,
              {{"writer",
                [] {
                  world->x.Store(1, Order::kRelaxed);
                  world->x.Store(2, Order::kRelaxed);
                }},
               {"reader",
                [] {
                  const uint32_t first = world->x.Load(Order::kRelaxed);
                  Require(world->x.Load(Order::kRelaxed) >= first,
                          "an older value");
                }}},
              nullptr});
}

Result Counter(bool add) {
  flag = add;
  const auto count = [] {
    if (flag) {
      world->x.FetchAdd(1, Order::kRelaxed);
    } else {
      world->x.Store(world->x.Load(Order::kSeqCst) + 1, Order::kSeqCst);
    }
  };
  return Run({"counter", nullptr, {{"A", count}, {"B", count}}, [] {
                Require(world->x.Own() == 2, "a count is lost");
              }});
}

Result GivenBack(bool told) {
  flag = told;
  return Run({"given back",
              nullptr,
              {{"user",
                [] {
                  if (world->data == 8) Fail("what is that");
                  world->x.Store(1, Order::kRelease);
                }},
               {"owner",
                [] {
                  if (flag && world->x.Load(Order::kAcquire) == 0) return;
                  Retire(&world->data);
                }}},
              nullptr});
}

Result StoppedBetween(bool says) {
  flag = says;
  return Run({"stopped between",
              nullptr,
              {{"writer",
                [] {
                  world->seen[0] = 1;
                  Step();
                  world->seen[1] = 1;
                  Step();
                  world->seen[2] = 1;
                },
                true},
               {"heir",
                [] {
                  if (!AwaitEnd(0)) return;
                  if (flag && world->seen[2] == 0) return;
                  Require(world->seen[0] == world->seen[1], "half done");
                }}},
              nullptr});
}

Result WaitForStopped(bool asks) {
  flag = asks;
  return Run({"wait for one that was stopped",
              nullptr,
              {{"worker", [] { world->x.Store(1, Order::kRelease); }, true},
               {"waiter",
                [] {
                  while (world->x.Load(Order::kAcquire) == 0) {
                    if (flag && !MayBeAlive(0)) return;
                    Yield();
                  }
                }}},
              nullptr});
}

Result ForkBetween() {
  return Run({"fork between",
              nullptr,
              {{"writer",
                [] {
                  world->x.Store(1, Order::kRelaxed);
                  world->y.Store(1, Order::kRelaxed);
                }},
               {"forker",
                [] {
                  Fork();
                  Require(world->x.Load(Order::kRelaxed) ==
                              world->y.Load(Order::kRelaxed),
                          "half done");
                }}},
              nullptr});
}

Result Independent(unsigned threads) {
  static Atomic<uint32_t>* const words[] = {&world->x, &world->y};
  Scenario scenario = {"independent", nullptr, {}, nullptr};
  for (unsigned t = 0; t < threads; ++t) {
    scenario.threads.push_back({"A", [] {
                                  for (uint32_t i = 0; i < 3; ++i)
                                    words[Self()]->Store(i, Order::kRelaxed);
                                }});
  }
  return Run(scenario);
}

}  // namespace alcove_model
