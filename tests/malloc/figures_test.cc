// What malloc says about itself is what the instance counts, and what it is
// asked to do about its memory it does.
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "tests/malloc/app_malloc_heap.h"

extern "C" struct mallinfo __libc_mallinfo() noexcept;
extern "C" int __libc_mallopt(int parameter, int value) noexcept;

namespace {

app_stats_t Stats() {
  app_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  EXPECT_EQ(app_stats(&stats), 0);
  return stats;
}

// A block whose every page is in memory.
void* Touched(size_t size) {
  void* const block = malloc(size);
  memset(block, 1, size);
  return block;
}

// What the kernel counts of this process, in bytes.
size_t Resident() {
  FILE* const file = fopen("/proc/self/statm", "r");
  size_t pages = 0, resident = 0;
  EXPECT_EQ(fscanf(file, "%zu %zu", &pages, &resident), 2);
  fclose(file);
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// What `write` writes to a stream of its own, without allocating meanwhile.
template <typename Write>
std::string Written(const Write& write) {
  FILE* const file = tmpfile();
  write(file);
  std::string text(10000, '\0');
  rewind(file);
  text.resize(fread(text.data(), 1, text.size(), file));
  fclose(file);
  return text;
}

// The number that follows `what`; -1 if there is none.
long long NumberAfter(const std::string& text, const std::string& what) {
  const size_t at = text.find(what);
  return at == text.npos ? -1 : atoll(text.c_str() + at + what.size());
}

TEST(Figures, MallinfoCountsWhatTheProgramHolds) {
  const struct mallinfo2 before = mallinfo2();
  EXPECT_EQ(before.uordblks, Stats().bytes_live);
  void* const small = malloc(1000);
  void* const large = malloc(10 << 20);
  const struct mallinfo2 after = mallinfo2();
  EXPECT_EQ(after.uordblks, before.uordblks + app_malloc_usable_size(small) +
                                app_malloc_usable_size(large));
  free(small);
  free(large);
  EXPECT_EQ(mallinfo2().uordblks, before.uordblks);
}

TEST(Figures, MallinfoAddsUp) {
  malloc_trim(0);
  void* blocks[100];
  for (void*& block : blocks) block = Touched(100 << 10);
  const struct mallinfo2 full = mallinfo2();
  for (void* block : blocks) free(block);
  const struct mallinfo2 empty = mallinfo2();
  for (const struct mallinfo2& info : {full, empty}) {
    EXPECT_EQ(info.arena, info.uordblks + info.fordblks);
    EXPECT_GE(info.usmblks, info.arena);
    EXPECT_GE(info.fordblks, info.fsmblks);
    EXPECT_GE(info.fordblks, info.keepcost);
    EXPECT_EQ(info.hblks, 0u);
    EXPECT_EQ(info.hblkhd, 0u);
  }
  EXPECT_GE(full.uordblks, empty.uordblks + (100u * 100 << 10));
  // What was freed is free, here or there.
  EXPECT_GE(empty.fordblks, full.fordblks);
}

TEST(Figures, NarrowMallinfoSaysTheSame) {
  const struct mallinfo narrow = mallinfo();
  const struct mallinfo2 wide = mallinfo2();
  EXPECT_EQ(static_cast<size_t>(narrow.arena), wide.arena);
  EXPECT_EQ(static_cast<size_t>(narrow.usmblks), wide.usmblks);
  EXPECT_EQ(static_cast<size_t>(narrow.fsmblks), wide.fsmblks);
  EXPECT_EQ(static_cast<size_t>(narrow.uordblks), wide.uordblks);
  EXPECT_EQ(static_cast<size_t>(narrow.fordblks), wide.fordblks);
  EXPECT_EQ(static_cast<size_t>(narrow.keepcost), wide.keepcost);
  EXPECT_EQ(__libc_mallinfo().uordblks, narrow.uordblks);
}

TEST(Figures, NarrowMallinfoDoesNotWrapAround) {
  void* const block = malloc(size_t{5} << 30);  // never touched
  ASSERT_NE(block, nullptr);
  EXPECT_GT(mallinfo2().uordblks, size_t{5} << 30);
  EXPECT_EQ(mallinfo().uordblks, INT_MAX);
  EXPECT_EQ(mallinfo().arena, INT_MAX);
  free(block);
}

TEST(Figures, MallocInfoSaysTheSame) {
  // The stream takes a buffer at its first byte; what is counted is before.
  struct mallinfo2 info = {};
  app_stats_t stats = {};
  const std::string text = Written([&](FILE* file) {
    fputc('\n', file);
    info = mallinfo2();
    stats = Stats();
    EXPECT_EQ(malloc_info(0, file), 0);
  });
  EXPECT_EQ(text.find("\n<malloc version=\"1\">\n<heap nr=\"0\">\n"), 0u);
  EXPECT_EQ(text.substr(text.size() - 10), "</malloc>\n");
  EXPECT_EQ(NumberAfter(text, "<system type=\"current\" size=\""),
            static_cast<long long>(info.arena));
  EXPECT_EQ(NumberAfter(text, "<total type=\"fast\" size=\""),
            static_cast<long long>(info.fsmblks));
  EXPECT_EQ(NumberAfter(text, "<total type=\"rest\" size=\""),
            static_cast<long long>(info.fordblks - info.fsmblks));
  EXPECT_EQ(NumberAfter(text, "blocks=\""),
            static_cast<long long>(stats.blocks_live));
  EXPECT_EQ(NumberAfter(text, " bytes=\""),
            static_cast<long long>(info.uordblks));
  EXPECT_NE(text.find("prefix=\"app_\""), text.npos);
  // The sums after the heap are the heap's, for it is the only one.
  const std::string sums = text.substr(text.find("</heap>"));
  EXPECT_EQ(NumberAfter(sums, "<system type=\"current\" size=\""),
            static_cast<long long>(info.arena));
}

TEST(Figures, MallocInfoRefusesOptions) {
  EXPECT_EQ(
      Written([](FILE* file) { EXPECT_EQ(malloc_info(1, file), EINVAL); }), "");
}

TEST(Figures, MallocInfoSaysWhenTheStreamFails) {
  FILE* const file = fopen("/dev/full", "w");
  ASSERT_NE(file, nullptr);
  setvbuf(file, nullptr, _IONBF, 0);
  EXPECT_EQ(malloc_info(0, file), ENOSPC);
  fclose(file);
}

TEST(Figures, MallocStatsWritesToStandardError) {
  const struct mallinfo2 info = mallinfo2();
  testing::internal::CaptureStderr();
  malloc_stats();
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find(std::string("alcove[app_] ") + app_version() + ":\n"),
            0u);
  EXPECT_GE(NumberAfter(text, "system bytes     ="),
            static_cast<long long>(info.arena));
  EXPECT_GE(NumberAfter(text, "in use bytes     ="),
            static_cast<long long>(info.uordblks));
  EXPECT_LT(NumberAfter(text, "in use bytes     ="),
            static_cast<long long>(info.uordblks + 100000));
}

TEST(Tuning, TrimGivesMemoryBack) {
  malloc_trim(0);
  EXPECT_EQ(malloc_trim(0), 0);  // there is nothing left to give
  // Less than an instance keeps for a while of its own accord.
  void* blocks[8];
  for (void*& block : blocks) block = Touched(100 << 10);
  const size_t resident = Resident();
  for (void* block : blocks) free(block);
  EXPECT_EQ(malloc_trim(SIZE_MAX), 1);
  EXPECT_LT(Resident(), resident - (400 << 10));
  EXPECT_EQ(mallinfo2().keepcost, 0u);
  EXPECT_EQ(malloc_trim(0), 0);
}

TEST(Tuning, MalloptTakesWhatGlibcHas) {
  for (const int parameter :
       {M_MXFAST, M_NLBLKS, M_GRAIN, M_KEEP, M_TRIM_THRESHOLD, M_TOP_PAD,
        M_MMAP_THRESHOLD, M_MMAP_MAX, M_CHECK_ACTION, M_PERTURB, M_ARENA_TEST,
        M_ARENA_MAX}) {
    EXPECT_EQ(mallopt(parameter, 64), 1) << parameter;
  }
  for (const int parameter : {0, 5, -9, INT_MAX, INT_MIN}) {
    EXPECT_EQ(mallopt(parameter, 64), 0) << parameter;
    EXPECT_EQ(__libc_mallopt(parameter, 64), 0) << parameter;
  }
}

}  // namespace
