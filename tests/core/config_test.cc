#include "core/base/config.h"

#include <string>

#include "gtest/gtest.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

// Each constant is its knob, in bytes where the knob is in KiB or MiB.
TEST(Config, IsWhatTheMacroWrote) {
  EXPECT_EQ(Config::kRegionReserve,
            size_t{ALCOVE_KNOB_region_reserve_mib} * 1024 * 1024);
  EXPECT_EQ(Config::kRegionGrowthPercent,
            size_t{ALCOVE_KNOB_region_growth_percent});
  EXPECT_EQ(Config::kSbrkReserve,
            size_t{ALCOVE_KNOB_sbrk_reserve_mib} * 1024 * 1024);
  EXPECT_EQ(Config::kCommitChunk, size_t{ALCOVE_KNOB_commit_chunk_kib} * 1024);
  EXPECT_EQ(Config::kPurgeDelayMs, size_t{ALCOVE_KNOB_purge_delay_ms});
  EXPECT_EQ(Config::kPurgeDirtyMax,
            size_t{ALCOVE_KNOB_purge_dirty_max_mib} * 1024 * 1024);
  EXPECT_EQ(Config::kCacheBytesPerClass,
            size_t{ALCOVE_KNOB_cache_bytes_per_class});
  EXPECT_EQ(Config::kCacheBlocksPerClass,
            size_t{ALCOVE_KNOB_cache_blocks_per_class});
  EXPECT_EQ(Config::kCacheSpanBytes, size_t{ALCOVE_KNOB_cache_span_kib} * 1024);
  EXPECT_EQ(Config::kArenaQuarantine, size_t{ALCOVE_KNOB_arena_quarantine});
  EXPECT_EQ(Config::kHugePagesFrom,
            size_t{ALCOVE_KNOB_huge_pages_from_mib} * 1024 * 1024);
  EXPECT_EQ(Config::kBackgroundPurge, ALCOVE_KNOB_background_purge);
  EXPECT_EQ(Config::kZeroOnFree, ALCOVE_KNOB_zero_on_free);
  EXPECT_EQ(Config::kRandomPlacement, ALCOVE_KNOB_random_placement);
  EXPECT_EQ(Config::kReuseDelay, size_t{ALCOVE_KNOB_reuse_delay});
  EXPECT_EQ(Config::kCheckFreed, ALCOVE_KNOB_check_freed);
  EXPECT_EQ(Config::kBacktraceFrames, size_t{ALCOVE_KNOB_backtrace_frames});
  EXPECT_EQ(Config::kLeakReport, ALCOVE_KNOB_leak_report);
  EXPECT_EQ(Config::kGuardPages, ALCOVE_KNOB_guard_pages);
  EXPECT_EQ(Config::kCanaries, ALCOVE_KNOB_canaries);
  EXPECT_EQ(Config::kSystemMemory, ALCOVE_KNOB_system_memory);
  EXPECT_EQ(Config::kLogLevel, LogLevel::ALCOVE_KNOB_log_level);
  EXPECT_EQ(Config::kSetErrno, ALCOVE_KNOB_set_errno);
  EXPECT_EQ(Config::kAsyncSignalSafe, ALCOVE_KNOB_async_signal_safe);
  EXPECT_EQ(Config::kCheckInvariants, ALCOVE_KNOB_check_invariants);
}

TEST(Config, NamesTheInstance) {
  EXPECT_EQ(std::string(kInstanceName), "test_");
}

TEST(Config, EveryKnobIsInTheJson) {
  const std::string json = ALCOVE_CONFIG_JSON;
  for (const char* knob : {"region_reserve_mib",
                           "region_growth_percent",
                           "sbrk_reserve_mib",
                           "commit_chunk_kib",
                           "purge_delay_ms",
                           "purge_dirty_max_mib",
                           "background_purge",
                           "cache_bytes_per_class",
                           "cache_blocks_per_class",
                           "cache_span_kib",
                           "arena_quarantine",
                           "huge_pages_from_mib",
                           "zero_on_free",
                           "canaries",
                           "guard_pages",
                           "random_placement",
                           "reuse_delay",
                           "check_freed",
                           "backtrace_frames",
                           "leak_report",
                           "system_memory",
                           "thread_exit",
                           "log_level",
                           "set_errno",
                           "async_signal_safe",
                           "check_invariants"}) {
    EXPECT_NE(json.find(std::string("\"") + knob + "\":"), std::string::npos)
        << knob;
  }
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
