// Linked into a test, it has the kernel refuse membarrier, as an old one would.
#include <errno.h>
#include <sys/syscall.h>

#include "tests/registry/sandbox.h"

namespace {

const bool is_refused = [] {
  registry_tests::Refuse({{SYS_membarrier, ENOSYS}});
  return true;
}();

}  // namespace
