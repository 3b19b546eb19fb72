// The log: what each level says, word for word, and that nothing is said where
// it is off.
#include "core/base/log.h"

#include <errno.h>

#include "core/api/oom.h"
#include "core/slab/slab.h"
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr bool kLogs = Config::kLogLevel == LogLevel::trace;

// Keeps lines without their beginning, and allocates from malloc.
class LogTest : public InstanceTest {
 protected:
  using Lines = std::vector<std::string>;

  void Listen(int level) {
    sink_.level = level;
    ASSERT_EQ(test_set_log_sink(&sink_, nullptr), 0);
  }
  // The lines since, each of this level.
  Lines Take() {
    Lines lines;
    lines.swap(lines_);
    return lines;
  }
  int level_max = 0;

 private:
  static void Write(int level, const char* line, void* context) {
    auto* const self = static_cast<LogTest*>(context);
    const std::string text = line;
    const std::string prefix = "alcove[test_]: ";
    EXPECT_EQ(text.substr(0, prefix.size()), prefix);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    self->level_max = std::max(self->level_max, level);
    self->lines_.push_back(std::to_string(level) + " " +
                           text.substr(prefix.size()));
  }
  test_log_sink sink_ = {Write, this, 0};
  Lines lines_;
};

std::string Hex(const void* address) {
  char text[32];
  snprintf(text, sizeof(text), "%p", address);
  return text;
}

void Use() {
  test_free(test_malloc(100));
  test_arena_destroy(test_arena_create(nullptr));
  test_free(test_malloc(100 << 20));
  test_purge();
}

TEST_F(LogTest, WithoutTheKnobThereIsNone) {
  if (kLogs) GTEST_SKIP();
  const test_log_sink sink = {[](int, const char*, void*) { abort(); }, nullptr,
                              test_log_trace};
  EXPECT_EQ(test_set_log_sink(&sink, nullptr), ENOTSUP);
  EXPECT_EQ(test_set_log_sink(nullptr, nullptr), ENOTSUP);
  Use();
}

class LoggingTest : public LogTest {
 protected:
  void SetUp() override {
    if (!kLogs) GTEST_SKIP() << "see the variant logging";
  }
};

TEST_F(LoggingTest, SettingGivesTheFormerBack) {
  const auto write = [](int, const char*, void*) {};
  const test_log_sink one = {write, nullptr, test_log_error};
  const test_log_sink* former = &one;
  EXPECT_EQ(test_set_log_sink(&one, &former), 0);
  EXPECT_EQ(former, nullptr);
  for (const test_log_sink& wrong : std::vector<test_log_sink>{
           {nullptr, nullptr, 1}, {write, nullptr, 0}, {write, nullptr, 5}}) {
    EXPECT_EQ(test_set_log_sink(&wrong, &former), EINVAL);
    EXPECT_EQ(former, nullptr) << "nothing changed";
  }
  EXPECT_EQ(test_set_log_sink(nullptr, &former), 0);
  EXPECT_EQ(former, &one);
}

TEST_F(LoggingTest, NobodyListens) {
  Listen(test_log_trace);
  ASSERT_EQ(test_set_log_sink(nullptr, nullptr), 0);
  Use();
  EXPECT_EQ(Take(), Lines{});
}

// Each level says what the ones below say, and no more than itself.
TEST_F(LoggingTest, LevelsAddUp) {
  size_t before = 0;
  for (int level = test_log_error; level <= test_log_trace; ++level) {
    Listen(level);
    level_max = 0;
    Use();
    EXPECT_EQ(test_shutdown(), 0);
    const size_t lines = Take().size();
    EXPECT_EQ(level_max, level == test_log_error ? 0 : level);
    EXPECT_EQ(lines == 0, level == test_log_error);
    if (level != test_log_error) {
      EXPECT_GT(lines, before);
    }
    before = lines;
  }
}

TEST_F(LoggingTest, InfoTellsOfLife) {
  Listen(test_log_info);
  void* const block = test_malloc(100);
  const Range* const range = g_instance.region.RangeOf(block);
  EXPECT_EQ(Take(), Lines({"2 reserved " + std::to_string(range->size()) +
                           " bytes at " + Hex(range->base()) + ", range 1"}));
  test_arena_options options = {};
  options.struct_size = sizeof(options);
  options.name = "frame";
  test_arena* const arena = test_arena_create(&options);
  test_arena_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  test_arena_stats(arena, &stats);
  test_arena_destroy(arena);
  const std::string named = "2 arena " + std::to_string(stats.number);
  EXPECT_EQ(Take(),
            Lines({named + " (frame) created", named + " (frame) destroyed"}));
  for (int i = 0; i < 1000; ++i) test_free(test_malloc(i));
  EXPECT_EQ(test_shutdown(), 0);
  EXPECT_EQ(Take(), Lines({"2 shut down"}));
  Use();
  EXPECT_EQ(Take(), Lines{}) << "shutdown took it away";
}

TEST_F(LoggingTest, DebugTellsOfMemoryAndHeaps) {
  Listen(test_log_debug);
  const std::string self = std::to_string(platform::CurrentThread());
  constexpr size_t kSize = (kSpanUnitsMax + 1) * kUnit;  // is not cached
  void* const block = test_malloc(kSize);
  memset(block, 1, kSize);
  const Range* const range = g_instance.region.RangeOf(block);
  Lines lines = Take();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1], "3 heap 1 made by thread " + self);
  EXPECT_EQ(lines[2], "3 committed " +
                          std::to_string(RoundUp(kSize, Config::kCommitChunk)) +
                          " bytes at " + Hex(range->base()));
  test_free(block);
  const size_t purged = test_purge();
  lines = Take();
  if (purged != 0) {
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines.back(), "3 purged " + std::to_string(purged) + " bytes");
  }
  test_purge();
  EXPECT_EQ(Take(), Lines{}) << "there was nothing";
  test_thread_detach();
  test_free(test_malloc(1));
  EXPECT_EQ(Take(), Lines({"3 heap 1 taken over by thread " + self}));
}

TEST_F(LoggingTest, TraceDrawsSlabs) {
  test_free(test_malloc(1));
  test_arena_destroy(test_arena_create(nullptr));
  constexpr size_t kSize = 40000;
  const ClassInfo& info = InfoOf(ClassOfSize(kSize));
  ASSERT_LE(info.blocks, 64u);
  Listen(test_log_trace);
  void* const block = test_malloc(kSize);
  const Lines lines = Take();
  const auto* const slab =
      DescriptorOf(*g_instance.region.RangeOf(block), block);
  const std::string at = "4 slab at " + Hex(slab->start);
  const std::string of = " of " + std::to_string(info.blocks) + " blocks of " +
                         std::to_string(info.size) + " bytes out ";
  const size_t out = size_t{info.blocks} - slab->available;
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(lines[lines.size() - 2],
            at + " made: 0" + of + std::string(info.blocks, '.'));
  EXPECT_EQ(lines.back(), at + " used: " + std::to_string(out) + of +
                              std::string(out, '#') +
                              std::string(info.blocks - out, '.'));
  test_free(block);
  test_thread_detach();
  EXPECT_THAT(Take(), testing::Contains(at + " retired: 0" + of +
                                        std::string(out, 'o') +
                                        std::string(info.blocks - out, '.')));
}

TEST_F(LoggingTest, ErrorTellsOfWhatFails) {
  test_free(test_malloc(1));
  test_arena_options options = {};
  options.struct_size = sizeof(options);
  options.hard_quota = kUnit;
  test_arena* const arena = test_arena_create(&options);
  test_arena_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  test_arena_stats(arena, &stats);
  Listen(test_log_error);
  EXPECT_EQ(test_arena_malloc(arena, 10 * kUnit), nullptr);
  EXPECT_EQ(test_malloc(kRequestMax + 1), nullptr);
  EXPECT_EQ(test_aligned_alloc(3, 1), nullptr);
  {
    const ScopedFailures reserve(Primitive::kReserve, Failures::Always());
    const ScopedFailures commit(Primitive::kCommit, Failures::Always());
    EXPECT_EQ(test_aligned_alloc(256, 64 << 20), nullptr);
  }
  EXPECT_EQ(Take(),
            Lines({"1 out of memory: 655360 bytes at a multiple of 16, in "
                   "arena " +
                       std::to_string(stats.number),
                   "1 out of memory: 67108864 bytes at a multiple of 256"}));
  test_arena_destroy(arena);
}

using LoggingDeathTest = LoggingTest;

TEST_F(LoggingDeathTest, ErrorHasTheLastLineToo) {
  void* const block = test_malloc(100);
  static char foreign;
  static const test_log_sink sink = {
      [](int level, const char* line, void* context) {
        fprintf(stderr, "%d %s\n", level, line);
        test_free(context);  // must not come here again
      },
      &foreign, test_log_error};
  const std::string line =
      "alcove\\[test_\\]: free of memory that is not this instance's, at 0x";
  EXPECT_EXIT(
      {
        test_set_log_sink(&sink, nullptr);
        test_free(&foreign);
      },
      testing::KilledBySignal(SIGABRT),
      testing::ContainsRegex("^1 " + line + "[0-9a-f]+\n" + line));
  test_free(block);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
