#include "core/base/log.h"

namespace ALCOVE_CORE_NAMESPACE {

constinit Atomic<const LogSink*> g_log_sink;

}  // namespace ALCOVE_CORE_NAMESPACE
