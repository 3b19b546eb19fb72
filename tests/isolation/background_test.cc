// Two instances with a thread of their own each, which know nothing of each
// other.
#include <dirent.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "tests/isolation/dawn_heap.h"
#include "tests/isolation/dusk_heap.h"

namespace {

size_t Tasks() {
  size_t tasks = 0;
  DIR* const directory = opendir("/proc/self/task");
  while (const dirent* const entry = readdir(directory))
    tasks += entry->d_name[0] != '.';
  closedir(directory);
  return tasks;
}

// Waits for what has to come, however slow the machine.
template <typename Condition>
bool Comes(Condition condition) {
  for (int i = 0; i < 10000; ++i) {
    if (condition()) return true;
    usleep(1000);
  }
  return false;
}

bool TasksComeTo(size_t tasks) {
  return Comes([tasks] { return Tasks() == tasks; });
}

template <typename Stats>
size_t Dirty(int (*read)(Stats*)) {
  Stats stats = {};
  stats.struct_size = sizeof(stats);
  EXPECT_EQ(read(&stats), 0);
  return stats.bytes_dirty;
}

// Leaves less than is purged at once.
void MakeDirt(void* (*allocate)(size_t), void (*release)(void*)) {
  constexpr size_t kBlock = 100000;
  std::vector<void*> blocks;
  for (int i = 0; i < 6; ++i) {
    blocks.push_back(allocate(kBlock));
    std::memset(blocks.back(), 1, kBlock);
  }
  for (void* const block : blocks) release(block);
}

void MakeDuskDirt() { MakeDirt(dusk_malloc, dusk_free); }
void MakeDawnDirt() { MakeDirt(dawn_malloc, dawn_free); }

TEST(Background, EachHasAThreadOfItsOwn) {
  const size_t before = Tasks();
  for (int i = 0; i < 3; ++i) {
    MakeDuskDirt();
    EXPECT_TRUE(TasksComeTo(before + 1));
    MakeDawnDirt();
    EXPECT_TRUE(TasksComeTo(before + 2));
    EXPECT_TRUE(
        Comes([] { return Dirty(dusk_stats) == 0 && Dirty(dawn_stats) == 0; }));
    EXPECT_EQ(dusk_shutdown(), 0);
    EXPECT_TRUE(TasksComeTo(before + 1));
    MakeDawnDirt();
    EXPECT_TRUE(Comes([] { return Dirty(dawn_stats) == 0; }));
    EXPECT_EQ(dawn_shutdown(), 0);
    EXPECT_TRUE(TasksComeTo(before));
  }
}

}  // namespace
