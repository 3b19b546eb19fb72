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
  static constexpr bool kCanaries = ALCOVE_KNOB_canaries;
  static constexpr bool kGuardPages = ALCOVE_KNOB_guard_pages;
  static constexpr bool kRandomPlacement = ALCOVE_KNOB_random_placement;
  static constexpr size_t kReuseDelay = ALCOVE_KNOB_reuse_delay;
  static constexpr bool kCheckFreed = ALCOVE_KNOB_check_freed;
  static constexpr size_t kHugePagesFrom =
      size_t{ALCOVE_KNOB_huge_pages_from_mib} << 20;
  static constexpr ThreadExit kThreadExit = ThreadExit::ALCOVE_KNOB_thread_exit;
  static constexpr Tls kTls = Tls::ALCOVE_KNOB_tls;
  static constexpr bool kSystemMemory = ALCOVE_KNOB_system_memory;
  static constexpr LogLevel kLogLevel = LogLevel::ALCOVE_KNOB_log_level;
  static constexpr bool kSetErrno = ALCOVE_KNOB_set_errno;
  static constexpr bool kAsyncSignalSafe = ALCOVE_KNOB_async_signal_safe;
  static constexpr size_t kBacktraceFrames = ALCOVE_KNOB_backtrace_frames;
  static constexpr bool kLeakReport = ALCOVE_KNOB_leak_report;
  static constexpr bool kCheckInvariants = ALCOVE_KNOB_check_invariants;

  // Whether every free has more to do than to put the block into a bin.
  static constexpr bool kSlowFree =
      kZeroOnFree || kCanaries || kRandomPlacement || kReuseDelay != 0;
  static constexpr bool kUsesRandom = kRandomPlacement || kReuseDelay != 0;
  // Whether blocks of slabs are never cached.
  static constexpr bool kUncached = kUsesRandom;
  // Whether a block has an end that is guarded, so that nobody else gets a part of it.
  static constexpr bool kWholeBlocks = kCanaries || kGuardPages;
  // Whether each operation has more to do than what inline headers do.
  static constexpr bool kOnlyCalls =
      kSlowFree || kCheckInvariants || kBacktraceFrames != 0;
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

static_assert(Config::kSystemMemory || Config::kBacktraceFrames == 0,
              "system_memory = False needs backtrace_frames = 0: they take "
              "address space of the system's");
static_assert(!Config::kCheckFreed || Config::kZeroOnFree,
              "check_freed needs zero_on_free = True: that is what it checks");
static_assert(Config::kSystemMemory || !Config::kUsesRandom,
              "system_memory = False needs random_placement = False and "
              "reuse_delay = 0: random numbers come from the system");
static_assert(
    Config::kSystemMemory || !Config::kGuardPages,
    "system_memory = False needs guard_pages = False: what is donated "
    "stays as it is");
static_assert(Config::kSystemMemory || !Config::kCanaries,
              "system_memory = False needs canaries = False: a secret comes "
              "from the system");
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
