// Who gets the log.
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/base/log.h"

namespace core = ALCOVE_CORE_NAMESPACE;

using PublicSink = ALCOVE_PUBLIC(log_sink);

static_assert(sizeof(PublicSink) == sizeof(core::LogSink));
static_assert(offsetof(PublicSink, write) == offsetof(core::LogSink, write));
static_assert(offsetof(PublicSink, context) ==
              offsetof(core::LogSink, context));
static_assert(offsetof(PublicSink, level) == offsetof(core::LogSink, level));
static_assert(ALCOVE_PUBLIC(log_error) ==
              static_cast<int>(core::LogLevel::error));
static_assert(ALCOVE_PUBLIC(log_info) ==
              static_cast<int>(core::LogLevel::info));
static_assert(ALCOVE_PUBLIC(log_debug) ==
              static_cast<int>(core::LogLevel::debug));
static_assert(ALCOVE_PUBLIC(log_trace) ==
              static_cast<int>(core::LogLevel::trace));

ALCOVE_EXPORT int ALCOVE_PUBLIC(set_log_sink)(
    const PublicSink* sink, const PublicSink** former) noexcept {
  if constexpr (core::Config::kLogLevel == core::LogLevel::off)
    return core::kNotSupported;
  if (sink != nullptr &&
      (sink->write == nullptr || sink->level < ALCOVE_PUBLIC(log_error) ||
       sink->level > ALCOVE_PUBLIC(log_trace)))
    return core::kInvalidArgument;
  const core::LogSink* const before = core::g_log_sink.Exchange(
      reinterpret_cast<const core::LogSink*>(sink), core::Order::kAcqRel);
  if (former != nullptr) *former = reinterpret_cast<const PublicSink*>(before);
  return 0;
}
