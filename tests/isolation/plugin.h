// What a shared object with an instance of its own shows to the program that
// loads it.
#ifndef TESTS_ISOLATION_PLUGIN_H_
#define TESTS_ISOLATION_PLUGIN_H_

#include <stddef.h>

#include "tests/isolation/workload.h"

namespace isolation {

struct Plugin {
  Functions functions;
  void (*thread_detach)();
  int (*shutdown)();
  size_t (*mapped)();  // the bytes of address space that the instance has now
};

}  // namespace isolation

// The name to look up.
extern "C" isolation::Plugin IsolationPlugin();

#endif  // TESTS_ISOLATION_PLUGIN_H_
