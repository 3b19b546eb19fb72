// Any memory that the program has can be donated, serves all of its threads, and
// is the program's again after shutdown.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {
namespace {

class DonateTest : public ContractTest {
 protected:
  // Works in the memory from two threads, and has it back in the end.
  static void UseAndTakeBack(char* memory, size_t size) {
    ASSERT_EQ(subject::donate(memory, size), 0);
    EXPECT_GT(GetStats().bytes_donated, 0u);
    EXPECT_GE(GetStats().bytes_reserved, GetStats().bytes_donated);
    std::vector<char*> blocks;
    for (const size_t block_size : {16, 16, 100, 40000}) {
      auto* const block = static_cast<char*>(subject::malloc(block_size));
      ASSERT_NE(block, nullptr);
      if (block_size == 16) {
        EXPECT_TRUE(block >= memory && block < memory + size);
        EXPECT_EQ(subject::owns(block), 1);
      }
      Fill(block, block_size, block_size);
      blocks.push_back(block);
    }
    EXPECT_GE(subject::donated_visit_blocks(blocks[0], nullptr, nullptr), 2u);
    std::thread([&] {
      EXPECT_TRUE(Holds(blocks[3], 40000, 40000));
      for (char* block : blocks) subject::free(block);
      subject::free(subject::calloc(1, 300));
      subject::thread_detach();
    }).join();
    EXPECT_EQ(subject::donated_visit_blocks(blocks[0], nullptr, nullptr), 0u);
    ASSERT_EQ(subject::shutdown(), 0);
    // As mapped as it was.
    std::memset(memory, 0x5a, size);
    for (size_t i = 0; i < size; i += 1000) ASSERT_EQ(memory[i], 0x5a);
  }
};

// The lines of /proc/self/maps that are about this address.
std::string MappingOf(const void* address) {
  std::ifstream maps("/proc/self/maps");
  const auto at = reinterpret_cast<uintptr_t>(address);
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2 &&
        at >= begin && at < end) {
      return line;
    }
  }
  return "";
}

// 2 MiB of a file that nobody else has; MAP_FAILED where there can be none.
class FileMapping {
 public:
  FileMapping() {
    char name[] = "/tmp/alcove_donate_XXXXXX";
    file_ = mkstemp(name);
    if (file_ < 0) return;
    unlink(name);
    if (ftruncate(file_, kSize) != 0) return;
    memory_ =
        mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  }
  ~FileMapping() {
    if (memory_ != MAP_FAILED) munmap(memory_, kSize);
    if (file_ >= 0) close(file_);
  }
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;

  void* memory() const { return memory_; }
  int file() const { return file_; }

 private:
  static constexpr size_t kSize = 2 * kMiB;

  int file_ = -1;
  void* memory_ = MAP_FAILED;
};

char g_static[512 * kKiB];

TEST_F(DonateTest, AStaticBuffer) {
  UseAndTakeBack(g_static, sizeof(g_static));
  UseAndTakeBack(g_static + 1, sizeof(g_static) - 13);
}

TEST_F(DonateTest, ABufferOnTheStack) {
  char buffer[300 * kKiB];
  UseAndTakeBack(buffer, sizeof(buffer));
}

TEST_F(DonateTest, AFileMapping) {
  const FileMapping mapping;
  void* const memory = mapping.memory();
  ASSERT_NE(memory, MAP_FAILED);
  const int file = mapping.file();
  const std::string before = MappingOf(memory);
  ASSERT_EQ(subject::donate(memory, 2 * kMiB), 0);
  auto* const block = static_cast<char*>(subject::malloc(kMiB));
  ASSERT_NE(block, nullptr);
  Fill(block, kMiB, 1);
  char read_back[100];
  ASSERT_EQ(pread(file, read_back, sizeof(read_back),
                  block - static_cast<char*>(memory)),
            static_cast<ssize_t>(sizeof(read_back)));
  EXPECT_EQ(std::memcmp(read_back, block, sizeof(read_back)), 0)
      << "it is the file's still";
  subject::free(block);
  subject::purge();
  EXPECT_EQ(MappingOf(memory), before);
  EXPECT_EQ(MappingOf(block), before);
  ASSERT_EQ(subject::shutdown(), 0);
  EXPECT_EQ(MappingOf(memory), before);
  UseAndTakeBack(static_cast<char*>(memory), 2 * kMiB);
  EXPECT_EQ(MappingOf(memory), before);
}

TEST_F(DonateTest, HugePages) {
  void* const memory = mmap(nullptr, 4 * kMiB, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  if (memory == MAP_FAILED)
    GTEST_SKIP() << "the system has no huge pages to give: "
                 << std::strerror(errno);
  UseAndTakeBack(static_cast<char*>(memory), 4 * kMiB);
  munmap(memory, 4 * kMiB);
}

TEST_F(DonateTest, Errors) {
  EXPECT_EQ(subject::donate(nullptr, kMiB), EINVAL);
  EXPECT_EQ(subject::donate(g_static, 0), EINVAL);
  EXPECT_EQ(subject::donate(g_static, 64 * kKiB), EINVAL);
  EXPECT_EQ(subject::donate(g_static, SIZE_MAX), EINVAL);
  static const char constants[256 * kKiB] = {1};
  EXPECT_EQ(subject::donate(const_cast<char*>(constants), sizeof(constants)),
            EFAULT);
  ASSERT_EQ(subject::donate(g_static, sizeof(g_static)), 0);
  EXPECT_EQ(subject::donate(g_static + 1000, sizeof(g_static) / 2), EINVAL);
  EXPECT_EQ(subject::shutdown(), 0);
}

// A child has all that was donated to its parent.
TEST_F(DonateTest, Fork) {
  ASSERT_EQ(subject::donate(g_static, sizeof(g_static)), 0);
  void* const block = subject::malloc(100);
  Fill(block, 100, 1);
  const pid_t child = fork();
  if (child == 0) {
    if (!Holds(block, 100, 1)) _exit(1);
    subject::free(block);
    void* const own = subject::malloc(100);
    if (subject::donate(g_static, sizeof(g_static)) != EINVAL) _exit(2);
    if (own < g_static || own >= g_static + sizeof(g_static)) _exit(3);
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(Holds(block, 100, 1));
  subject::free(block);
  EXPECT_EQ(subject::shutdown(), 0);
}

// Threads that allocate and free each other's blocks, while more is donated.
TEST_F(DonateTest, WhileOthersAllocate) {
  static char memory[8 * kMiB];
  constexpr unsigned kParts = 8;
  std::vector<std::thread> threads;
  std::atomic<void*> passed{nullptr};
  for (unsigned t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 5000; ++i) {
        const size_t size = (i * 37 + t) % 200 * (i % 50 == 0 ? 1000 : 10) + 1;
        void* const block = subject::malloc(size);
        Fill(block, std::min<size_t>(size, 50), size);
        EXPECT_TRUE(Holds(block, std::min<size_t>(size, 50), size));
        subject::free(passed.exchange(block));
      }
      subject::thread_detach();
    });
  }
  for (unsigned i = 0; i < kParts; ++i) {
    EXPECT_EQ(subject::donate(memory + i * kMiB, kMiB), 0);
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  subject::free(passed.load());
  EXPECT_EQ(GetStats().blocks_live, 0u);
  EXPECT_EQ(subject::shutdown(), 0);
}

// ---- To an arena ----

// Works in the memory from two threads, and has it back when the arena is gone.
void ServeAnArena(char* memory, size_t size) {
  for (const uint32_t mode : {subject::kGeneral, subject::kMonotonic}) {
    subject::ArenaOptions options = {};
    options.struct_size = sizeof(options);
    options.mode = mode;
    subject::Arena* const arena = subject::arena_create(&options);
    ASSERT_NE(arena, nullptr);
    ASSERT_EQ(subject::arena_donate(arena, memory, size), 0);
    const auto in_there = [&](const void* p) {
      return p >= memory && p < memory + size;
    };
    auto* const small = static_cast<char*>(subject::arena_malloc(arena, 100));
    auto* const large = static_cast<char*>(subject::arena_malloc(arena, 65536));
    ASSERT_TRUE(in_there(small));
    ASSERT_TRUE(in_there(large) && in_there(large + 65535));
    Fill(small, 100, 1);
    Fill(large, 65536, 2);
    std::thread([&] {
      EXPECT_TRUE(Holds(large, 65536, 2));
      subject::free(large);
      void* const own = subject::malloc(100);
      EXPECT_FALSE(in_there(own));
      subject::free(own);
      subject::thread_detach();
    }).join();
    EXPECT_EQ(subject::donated_visit_blocks(small, nullptr, nullptr), 1u);
    auto* const grown = static_cast<char*>(subject::realloc(small, 1000));
    EXPECT_TRUE(Holds(grown, 100, 1));
    EXPECT_TRUE(in_there(grown));
    subject::ArenaStats stats = {};
    stats.struct_size = sizeof(stats);
    ASSERT_EQ(subject::arena_stats(arena, &stats), 0);
    EXPECT_GE(stats.bytes_donated, 2 * 64 * kKiB);
    EXPECT_GT(stats.bytes_donated_used, 0u);
    subject::arena_reset(arena);
    EXPECT_TRUE(in_there(subject::arena_malloc(arena, 100)));
    subject::arena_destroy(arena);
    EXPECT_EQ(subject::owns(memory + size / 2), 0);
    std::memset(memory, 0x5a, size);
    for (int i = 0; i < 100; ++i) {
      void* const block = subject::malloc(100 * i);
      EXPECT_FALSE(in_there(block));
      subject::free(block);
    }
    for (size_t i = 0; i < size; ++i) ASSERT_EQ(memory[i], 0x5a);
  }
}

TEST_F(DonateTest, ToAnArenaAStaticBuffer) {
  ServeAnArena(g_static, sizeof(g_static));
  ServeAnArena(g_static + 1, sizeof(g_static) - 13);
  EXPECT_EQ(subject::shutdown(), 0);
}

TEST_F(DonateTest, ToAnArenaABufferOnTheStack) {
  char buffer[300 * kKiB];
  ServeAnArena(buffer, sizeof(buffer));
}

TEST_F(DonateTest, ToAnArenaAFileMapping) {
  const FileMapping mapping;
  void* const memory = mapping.memory();
  ASSERT_NE(memory, MAP_FAILED);
  const int file = mapping.file();
  const std::string before = MappingOf(memory);
  ServeAnArena(static_cast<char*>(memory), 2 * kMiB);
  subject::purge();
  EXPECT_EQ(MappingOf(memory), before);
  char read_back[100];
  ASSERT_EQ(pread(file, read_back, sizeof(read_back), kMiB),
            static_cast<ssize_t>(sizeof(read_back)));
  EXPECT_EQ(read_back[50], 0x5a) << "it is the file's still";
}

TEST_F(DonateTest, ToAnArenaHugePages) {
  void* const memory = mmap(nullptr, 4 * kMiB, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  if (memory == MAP_FAILED)
    GTEST_SKIP() << "the system has no huge pages to give: "
                 << std::strerror(errno);
  ServeAnArena(static_cast<char*>(memory), 4 * kMiB);
  munmap(memory, 4 * kMiB);
}

TEST_F(DonateTest, ToAnArenaErrors) {
  subject::Arena* const arena = subject::arena_create(nullptr);
  EXPECT_EQ(subject::arena_donate(arena, nullptr, kMiB), EINVAL);
  EXPECT_EQ(subject::arena_donate(arena, g_static, 0), EINVAL);
  EXPECT_EQ(subject::arena_donate(arena, g_static, 60 * kKiB), EINVAL);
  EXPECT_EQ(subject::arena_donate(arena, g_static, SIZE_MAX), EINVAL);
  static const char constants[256 * kKiB] = {1};
  EXPECT_EQ(subject::arena_donate(arena, const_cast<char*>(constants),
                                  sizeof(constants)),
            EFAULT);
  ASSERT_EQ(subject::arena_donate(arena, g_static, sizeof(g_static)), 0);
  EXPECT_EQ(subject::arena_donate(arena, g_static, sizeof(g_static)), EINVAL);
  EXPECT_EQ(subject::donate(g_static + 9000, sizeof(g_static) / 2), EINVAL);
  subject::arena_destroy(arena);
  EXPECT_DEATH(subject::arena_donate(arena, g_static, sizeof(g_static)),
               "which is gone");
  EXPECT_EQ(subject::donate(g_static, sizeof(g_static)), 0);
  EXPECT_EQ(subject::shutdown(), 0);
}

// A child has its own copy, and its own end of it.
TEST_F(DonateTest, ToAnArenaFork) {
  subject::Arena* const arena = subject::arena_create(nullptr);
  ASSERT_EQ(subject::arena_donate(arena, g_static, sizeof(g_static)), 0);
  void* const block = subject::arena_malloc(arena, 100);
  Fill(block, 100, 1);
  const pid_t child = fork();
  if (child == 0) {
    if (!Holds(block, 100, 1)) _exit(1);
    subject::arena_destroy(arena);
    std::memset(g_static, 1, sizeof(g_static));
    if (subject::donate(g_static, sizeof(g_static)) != 0) _exit(2);
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(Holds(block, 100, 1));
  subject::arena_destroy(arena);
}

}  // namespace
}  // namespace contract
