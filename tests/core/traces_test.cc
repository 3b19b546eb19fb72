// With `backtrace_frames` and `leak_report`: who allocated what is live.
#include "core/heap/traces.h"

#include <sys/mman.h>

#include <algorithm>

#include "core/api/trace.h"
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

static_assert(Config::kBacktraceFrames == 16 && Config::kLeakReport);

using platform::Frame;

class TracesTest : public InstanceTest {
 protected:
  void TearDown() override {
    // What a test leaves is not to be reported by its end.
    EXPECT_EQ(test_visit_blocks(nullptr, nullptr), 0u);
  }
};
using TracesDeathTest = TracesTest;

void* const kA = reinterpret_cast<void*>(0xa);
void* const kB = reinterpret_cast<void*>(0xb);
void* const kC = reinterpret_cast<void*>(0xc);

TEST_F(TracesTest, AChain) {
  Frame frames[3] = {};
  frames[0] = {&frames[1], kA};
  frames[1] = {&frames[2], kB};
  frames[2] = {nullptr, kC};
  void* out[16];
  EXPECT_EQ(WalkFrames(frames, out, 16), 3u);
  EXPECT_EQ(out[0], kA);
  EXPECT_EQ(out[1], kB);
  EXPECT_EQ(out[2], kC);
  EXPECT_EQ(WalkFrames(frames, out, 2), 2u);
  EXPECT_EQ(WalkFrames(frames, out, 1), 1u);
  // The first function of a thread.
  frames[2].return_address = nullptr;
  EXPECT_EQ(WalkFrames(frames, out, 16), 2u);
}

// Where code uses the register for something else.
TEST_F(TracesTest, ABrokenChainEnds) {
  Frame frames[3] = {};
  const auto at = [&](uintptr_t address) {
    return reinterpret_cast<const Frame*>(address);
  };
  const uintptr_t here = AddressOf(&frames[1]);
  for (const uintptr_t caller :
       {uintptr_t{0}, uintptr_t{1}, here, AddressOf(&frames[0]), here + 1,
        here + 12, here + (uintptr_t{1} << 21), uintptr_t{1} << 63,
        ~uintptr_t{7}}) {
    frames[1] = {at(caller), kA};
    void* out[16];
    EXPECT_EQ(WalkFrames(&frames[1], out, 16), 1u) << caller;
  }
}

TEST_F(TracesTest, WhatCannotBeReadIsNotRead) {
  constexpr size_t kPages = 3 * 4096;
  char* const stack =
      static_cast<char*>(mmap(nullptr, kPages, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  auto* const first = reinterpret_cast<Frame*>(stack + 64);
  auto* const second = reinterpret_cast<Frame*>(stack + 4096 + 64);
  *first = {second, kA};
  // Half of it is on the page that will not be there.
  *second = {reinterpret_cast<Frame*>(stack + 2 * 4096 - 8), kB};
  void* out[16];
  ASSERT_EQ(mprotect(stack + 2 * 4096, 4096, PROT_NONE), 0);
  EXPECT_EQ(WalkFrames(first, out, 16), 2u);
  ASSERT_EQ(munmap(stack + 4096, 4096), 0);
  EXPECT_EQ(WalkFrames(first, out, 16), 1u);
  munmap(stack, kPages);
  // Where the system does not say, neither.
  const ScopedFailures failures(Primitive::kIsReadable, Failures::Always());
  alignas(4096) static Frame pages[512];
  pages[0] = {&pages[400], kA};
  pages[400] = {nullptr, kB};
  EXPECT_EQ(WalkFrames(pages, out, 16), 1u);
}

struct Seen {
  void* block;
  size_t size;
  std::vector<void*> frames;
};
std::vector<Seen> All() {
  std::vector<Seen> all;
  test_visit_blocks(
      [](void* block, size_t size, void* const* frames, size_t count,
         void* to) {
        static_cast<std::vector<Seen>*>(to)->push_back(
            {block, size, std::vector<void*>(frames, frames + count)});
      },
      &all);
  return all;
}

// Calls allocate() from a function that its caller calls; *returns is where that
// one returns to.
template <typename Allocate>
[[gnu::noinline]] void* Inner(Allocate allocate, void** returns) {
  *returns = __builtin_return_address(0);
  void* const block = allocate();
  asm volatile("" ::: "memory");
  return block;
}

template <typename Allocate>
void ExpectTraced(Allocate allocate) {
  void* returns;
  void* const block = Inner(allocate, &returns);
  const std::vector<Seen> all = All();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].block, block);
  EXPECT_EQ(all[0].size, test_malloc_usable_size(block));
  const std::vector<void*>& frames = all[0].frames;
  EXPECT_GE(frames.size(), 4u);
  EXPECT_NE(std::find(frames.begin(), frames.end(), returns), frames.end());
  test_free(block);
  EXPECT_EQ(All().size(), 0u);
}

TEST_F(TracesTest, OfEachCallThatAllocates) {
  for (const size_t size : {1, 100, 3000, 20000, 100000, 3000000}) {
    ExpectTraced([=] { return test_malloc(size); });
    ExpectTraced([=] { return test_calloc(1, size); });
    ExpectTraced([=] { return test_realloc(nullptr, size); });
    ExpectTraced([=] { return test_realloc(test_malloc(5), size); });
    ExpectTraced([=] { return test_reallocarray(nullptr, 1, size); });
    ExpectTraced([=] { return test_aligned_alloc(256, size); });
    ExpectTraced([=] { return test_memalign(256, size); });
    ExpectTraced([=] { return test_alloc_at_multiple(48, size); });
    ExpectTraced([=] {
      void* block = nullptr;
      test_posix_memalign(&block, 64, size);
      return block;
    });
    ExpectTraced([=] {
      void* block = nullptr;
      test_malloc_batch(size, 1, &block);
      return block;
    });
    ExpectTraced([=] {
      test_pin_t* const pin = test_pin();
      void* const block = test_pinned_malloc(pin, size);
      test_unpin(pin);
      return block;
    });
  }
}

TEST_F(TracesTest, InArenas) {
  for (const uint32_t mode :
       {uint32_t{test_arena_general}, uint32_t{test_arena_monotonic}}) {
    test_arena_options options = {};
    options.struct_size = sizeof(options);
    options.mode = mode;
    test_arena* const a = test_arena_create(&options);
    for (const size_t size : {1, 100, 3000, 20000, 100000}) {
      ExpectTraced([=] { return test_arena_malloc(a, size); });
      ExpectTraced([=] { return test_arena_calloc(a, 1, size); });
      ExpectTraced([=] { return test_arena_aligned_alloc(a, 64, size); });
      ExpectTraced([=] { return test_arena_alloc_at_multiple(a, 48, size); });
      ExpectTraced([=] { return test_arena_realloc(a, nullptr, size); });
      ExpectTraced([=] {
        void* block = nullptr;
        test_arena_posix_memalign(a, &block, 64, size);
        return block;
      });
    }
    test_arena_destroy(a);
  }
}

// Which has no traces, and is looked at all the same.
TEST_F(TracesTest, InAnArenasDonation) {
  alignas(kUnit) static char memory[4 * kUnit];
  auto* const arena = test_arena_create(nullptr);
  ASSERT_EQ(test_arena_donate(arena, memory, sizeof(memory)), 0);
  void* const block = test_arena_malloc(arena, 100);
  ASSERT_LT(AddressOf(block) - AddressOf(memory), sizeof(memory));
  EXPECT_EQ(test_visit_blocks(
                [](void* visited, size_t size, void* const*, size_t frames,
                   void* expected) {
                  EXPECT_EQ(visited, expected);
                  EXPECT_EQ(size, 100u);
                  EXPECT_EQ(frames, 0u);
                },
                block),
            1u);
  test_free(block);
  EXPECT_EQ(test_visit_blocks(nullptr, nullptr), 0u);
  test_arena_destroy(arena);
}

TEST_F(TracesTest, NeighboursHaveTheirOwn) {
  std::vector<void*> blocks;
  std::vector<void*> returns(2);
  for (int i = 0; i < 200; ++i) {
    blocks.push_back(i % 2 == 0
                         ? Inner([] { return test_malloc(24); }, &returns[0])
                         : Inner([] { return test_malloc(24); }, &returns[1]));
  }
  for (const Seen& seen : All()) {
    const size_t i = static_cast<size_t>(
        std::find(blocks.begin(), blocks.end(), seen.block) - blocks.begin());
    ASSERT_LT(i, blocks.size());
    EXPECT_NE(std::find(seen.frames.begin(), seen.frames.end(), returns[i % 2]),
              seen.frames.end());
  }
  for (void* const block : blocks) test_free(block);
}

TEST_F(TracesTest, WithoutMemoryForThem) {
  test_free(test_malloc(1));
  ASSERT_EQ(test_shutdown(), 0);
  void* const first = [] {
    // The range's metadata is mapped, and the traces are not.
    const ScopedFailures failures(Primitive::kMap, Failures::From(2));
    return test_malloc(100);
  }();
  ASSERT_NE(first, nullptr);
  ASSERT_EQ(All().size(), 1u);
  EXPECT_EQ(All()[0].frames.size(), 0u);
  EXPECT_EQ(All()[0].size, 100u);
  test_free(first);
}

TEST_F(TracesTest, SeveralThreads) {
  RunThreads(4, [](unsigned) {
    for (int i = 0; i < 200; ++i) {
      void* const block = test_malloc(40);
      test_free(block);
    }
    test_thread_detach();
  });
}

void Leave(size_t size) {
  char* const block = static_cast<char*>(test_malloc(size));
  Blame(block);
}

TEST_F(TracesDeathTest, ShutdownSaysWhatIsLeft) {
  const auto line = [](const std::string& text) {
    const size_t at = text.find("blame ");
    const std::string block = text.substr(at + 6, text.find('\n', at) - at - 6);
    const size_t first = text.find('\n', at) + 1;
    const std::string leak = "alcove[test_]: leak of " + block +
                             " (a block of 100 bytes), allocated at 0x";
    const size_t second = text.find('\n', first) + 1;
    return text.compare(first, leak.size(), leak) == 0 &&
           text.substr(second) ==
               "alcove[test_]: 1 blocks of 100 bytes were not freed\n";
  };
  EXPECT_EXIT(
      {
        test_free(test_malloc(7));
        Leave(100);
        test_shutdown();
        exit(0);
      },
      testing::ExitedWithCode(0), testing::Truly(line));
}

TEST_F(TracesDeathTest, NothingIsSaidOfNothing) {
  EXPECT_EXIT(
      {
        test_free(test_malloc(100));
        test_arena_destroy(test_arena_create(nullptr));
        test_shutdown();
        exit(0);
      },
      testing::ExitedWithCode(0), testing::Eq(""));
}

TEST_F(TracesTest, TheSinkGetsItWhereThereIsOne) {
  static std::vector<std::string> lines;
  lines.clear();
  test_log_sink sink = {};
  sink.write = [](int level, const char* text, void*) {
    EXPECT_EQ(level, test_log_error);
    lines.push_back(text);
  };
  sink.level = test_log_error;
  ASSERT_EQ(test_set_log_sink(&sink, nullptr), 0);
  test_malloc(100);
  test_malloc(200000);
  ASSERT_EQ(test_shutdown(), 0);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[2], "alcove[test_]: 2 blocks of 200100 bytes were not freed");
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
