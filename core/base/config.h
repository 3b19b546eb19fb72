// The configuration of this instance: what the stamping macro wrote into
// alcove_config.h, as typed constants. The schema, with the meaning, default
// and range of each knob, is core/knobs.bzl. Logic reads these with `if
// constexpr`; nothing else reads the macros.
#ifndef ALCOVE_CORE_BASE_CONFIG_H_
#define ALCOVE_CORE_BASE_CONFIG_H_

#include <stddef.h>
#include <stdint.h>

#include "alcove_config.h"

namespace ALCOVE_CORE_NAMESPACE {

enum class ThreadExit { probe, pthread_key };
enum class LogLevel : int { off, error, info, debug, trace };
enum class Tls { initial_exec, general_dynamic, tlsdesc, pthread_key };

struct Config {
  static constexpr size_t kRegionReserve =
      size_t{ALCOVE_KNOB_region_reserve_mib} << 20;
  static constexpr size_t kRegionGrowthPercent =
      ALCOVE_KNOB_region_growth_percent;
  static constexpr size_t kSbrkReserve = size_t{ALCOVE_KNOB_sbrk_reserve_mib}
                                         << 20;
  static constexpr size_t kCommitChunk = size_t{ALCOVE_KNOB_commit_chunk_kib}
                                         << 10;
  static constexpr uint64_t kPurgeDelayMs = ALCOVE_KNOB_purge_delay_ms;
  static constexpr size_t kPurgeDirtyMin =
      size_t{ALCOVE_KNOB_purge_dirty_min_kib} << 10;
  static constexpr size_t kPurgeDirtyMax =
      size_t{ALCOVE_KNOB_purge_dirty_max_mib} << 20;
  static constexpr bool kBackgroundPurge = ALCOVE_KNOB_background_purge;
  static constexpr size_t kCacheBytesPerClass =
      ALCOVE_KNOB_cache_bytes_per_class;
  static constexpr size_t kCacheBlocksPerClass =
      ALCOVE_KNOB_cache_blocks_per_class;
  static constexpr size_t kCacheSpanBytes = size_t{ALCOVE_KNOB_cache_span_kib}
                                            << 10;
  static constexpr size_t kArenaQuarantine = ALCOVE_KNOB_arena_quarantine;
  static constexpr bool kZeroOnFree = ALCOVE_KNOB_zero_on_free;
  static constexpr size_t kHugePagesFrom =
      size_t{ALCOVE_KNOB_huge_pages_from_mib} << 20;
  static constexpr ThreadExit kThreadExit = ThreadExit::ALCOVE_KNOB_thread_exit;
  static constexpr Tls kTls = Tls::ALCOVE_KNOB_tls;
  static constexpr bool kSystemMemory = ALCOVE_KNOB_system_memory;
  static constexpr LogLevel kLogLevel = LogLevel::ALCOVE_KNOB_log_level;
  static constexpr bool kSetErrno = ALCOVE_KNOB_set_errno;
  static constexpr bool kAsyncSignalSafe = ALCOVE_KNOB_async_signal_safe;
  static constexpr bool kCheckInvariants = ALCOVE_KNOB_check_invariants;
};

// A definition that is there only where a thread finds its heap by a
// thread-local variable.
#define ALCOVE_IF_THREAD_LOCAL(...) ALCOVE_IF_TLS(ALCOVE_KNOB_tls, __VA_ARGS__)
#define ALCOVE_IF_TLS(choice, ...) ALCOVE_IF_TLS_IS(choice, __VA_ARGS__)
#define ALCOVE_IF_TLS_IS(choice, ...) ALCOVE_IF_TLS_IS_##choice(__VA_ARGS__)
#define ALCOVE_IF_TLS_IS_initial_exec(...) __VA_ARGS__
#define ALCOVE_IF_TLS_IS_general_dynamic(...) __VA_ARGS__
#define ALCOVE_IF_TLS_IS_tlsdesc(...) __VA_ARGS__
#define ALCOVE_IF_TLS_IS_pthread_key(...)

static constexpr char kInstanceName[] = ALCOVE_PREFIX_STRING;

static_assert(sizeof(void*) == 8, "Alcove needs a 64-bit address space");
static_assert(Config::kCommitChunk % 65536 == 0,
              "commit_chunk_kib must be a multiple of 64");
static_assert(!Config::kAsyncSignalSafe || Config::kTls == Tls::initial_exec,
              "async_signal_safe needs tls = \"initial_exec\": the others call "
              "libc, which may allocate");
static_assert(!Config::kAsyncSignalSafe || !Config::kBackgroundPurge,
              "async_signal_safe needs background_purge = False: a handler "
              "cannot start a thread");
static_assert(!Config::kAsyncSignalSafe ||
                  Config::kThreadExit == ThreadExit::probe,
              "async_signal_safe needs thread_exit = \"probe\": the other one "
              "calls libc, which may allocate");

static_assert(Config::kSystemMemory || Config::kTls == Tls::initial_exec,
              "system_memory = False needs tls = \"initial_exec\": the others "
              "call libc");
static_assert(Config::kSystemMemory || Config::kThreadExit == ThreadExit::probe,
              "system_memory = False needs thread_exit = \"probe\": the other "
              "one calls libc");
static_assert(Config::kSystemMemory || !Config::kBackgroundPurge,
              "system_memory = False needs background_purge = False: there is "
              "nothing to purge");
static_assert(Config::kSystemMemory || !Config::kAsyncSignalSafe,
              "system_memory = False needs async_signal_safe = False: the "
              "heaps of a thread's levels have nothing in common there");

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_BASE_CONFIG_H_
