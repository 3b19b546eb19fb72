#include "tests/contract/stepping.h"

#include <utility>

namespace contract {
namespace {

thread_local Stepping* g_stepping = nullptr;

}  // namespace

Stepping::Stepping() {
  struct sigaction action = {};
  action.sa_handler = OnTrap;
  // A handler may step, too.
  action.sa_flags = SA_NODEFER;
  sigaction(SIGTRAP, &action, &before_);
}

Stepping::~Stepping() { sigaction(SIGTRAP, &before_, nullptr); }

Stepping* Stepping::Enter(Stepping* stepping) {
  return std::exchange(g_stepping, stepping);
}

void Stepping::OnTrap(int) { g_stepping->OnStep(); }

}  // namespace contract
