// What a plugin shows to its host.
#ifndef TESTS_PLUGINS_PLUGIN_H_
#define TESTS_PLUGINS_PLUGIN_H_

#include <stddef.h>

#include "tests/isolation/workload.h"

namespace plugins {

struct Plugin {
  isolation::Functions functions;
  void (*thread_detach)();
  const char* (*version)();
  const char* (*config)();
  // Allocates and frees some blocks of some classes, quickly; false if
  // something is wrong.
  bool (*work)();
  // Objects, of an inlined allocator where the plugin has one.
  bool (*work_inlined)();
};

}  // namespace plugins

// The one name that a plugin exports.
extern "C" __attribute__((visibility("default"))) plugins::Plugin
AlcoveTestPlugin();

#endif  // TESTS_PLUGINS_PLUGIN_H_
