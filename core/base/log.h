// The log: lines for a function that the program has set, up to the level that
// the knob `log_level` compiles in. Where a level is not, nothing of it is.
//
// There is no log on fast paths. On slow ones a line costs one load where no
// function is set:
//
//   if (const Log<LogLevel::debug> log; log)
//     log.Write(TextLine().Text("purged ").Decimal(bytes).Text(" bytes"));
#ifndef ALCOVE_CORE_BASE_LOG_H_
#define ALCOVE_CORE_BASE_LOG_H_

#include "core/base/atomic.h"
#include "core/base/line.h"

namespace ALCOVE_CORE_NAMESPACE {

// The public log_sink, of the same layout: one pointer to the program's own, so
// that function, context and level change together.
struct LogSink {
  void (*write)(int level, const char* line, void* context);
  void* context;
  int level;
};

// Null for none.
extern ALCOVE_HIDDEN Atomic<const LogSink*> g_log_sink;

template <LogLevel kLevel>
class Log {
 public:
  ALCOVE_INLINE Log() : sink_(Find()) {}
  ALCOVE_INLINE explicit operator bool() const { return sink_ != nullptr; }
  void Write(TextLine& line) const {
    sink_->write(static_cast<int>(kLevel), line.text(), sink_->context);
  }

 private:
  static ALCOVE_INLINE const LogSink* Find() {
    if constexpr (Config::kLogLevel < kLevel) return nullptr;
    const LogSink* const sink = g_log_sink.Load(Order::kAcquire);
    if (ALCOVE_LIKELY(sink == nullptr)) return nullptr;
    return sink->level >= static_cast<int>(kLevel) ? sink : nullptr;
  }

  const LogSink* const sink_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_BASE_LOG_H_
