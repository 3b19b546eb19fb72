// Blocks of an arena that is gone, and those that a reset ended, stop the
// process with a line that says which arena it was.
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/crew.h"
#include "tests/contract/messages.h"

namespace contract {
namespace {

using ArenaGoneDeathTest = ArenaModesTest;
using testing::HasSubstr;
using testing::MatchesRegex;

// Text in which nothing means more than itself.
std::string Quoted(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (std::string("[](){}.*+?|^$\\").find(c) != std::string::npos)
      quoted += '\\';
    quoted += c;
  }
  return quoted;
}

// Blocks of an arena that is gone, of every kind, and what it was called.
struct Leftovers {
  explicit Leftovers(subject::ArenaOptions options,
                     const char* name = "departed") {
    options.name = name;
    ScopedArena arena(options);
    handle = arena;
    text = TextOf(arena);
    for (const size_t size : kSizesOfAllKinds)
      blocks.push_back(subject::arena_malloc(arena, size));
  }
  std::string Of() const { return OfGone(text); }
  std::string Used() const { return Says(UseOfGone(text)); }

  subject::Arena* handle;
  std::string text;
  std::vector<void*> blocks;
};

TEST_P(ArenaGoneDeathTest, FreeOfItsBlocks) {
  const Leftovers gone(Options());
  for (void* const block : gone.blocks) {
    EXPECT_STOPS(subject::free(block), Line(kFreeOf, block, gone.Of()));
  }
}

TEST_P(ArenaGoneDeathTest, FreeOfABlockOfOneWithoutAName) {
  ScopedArena arena(Options());
  void* const block = subject::arena_malloc(arena, 100);
  const uint64_t number = StatsOf(arena).number;
  arena.Destroy();
  EXPECT_STOPS(subject::free(block),
               Line(kFreeOf, block, OfGone(ArenaText(number, ""))));
}

TEST_P(ArenaGoneDeathTest, FreeByAnotherThread) {
  const Leftovers gone(Options());
  void* const block = gone.blocks[4];
  EXPECT_STOPS(std::thread([&] { subject::free(block); }).join(),
               Line(kFreeOf, block, gone.Of()));
}

// Threads that cached blocks of it, and one that ended.
TEST_P(ArenaGoneDeathTest, FreeByAThreadThatKnewIt) {
  Crew crew(2);
  subject::ArenaOptions options = Options();
  options.name = "known";
  ScopedArena arena(options);
  const std::string text = TextOf(arena);
  void* blocks[3] = {};
  crew.Do([&](int t) {
    subject::free(subject::arena_malloc(arena, 100));
    blocks[t] = subject::arena_malloc(arena, 100);
  });
  std::thread([&] { blocks[2] = subject::arena_malloc(arena, 100); }).join();
  arena.Destroy();
  // A child of fork has this thread alone.
  for (void* const block : blocks) {
    EXPECT_STOPS(subject::free(block), Line(kFreeOf, block, OfGone(text)));
  }
}

TEST_P(ArenaGoneDeathTest, SizedFrees) {
  const Leftovers gone(Options());
  for (size_t i = 0; i < gone.blocks.size(); i += 5) {
    void* const block = gone.blocks[i];
    const size_t size = kSizesOfAllKinds[i];
    EXPECT_STOPS_LIKE(subject::free_sized(block, size),
                      HasSubstr(Hex(block) + gone.Of()));
    EXPECT_STOPS_LIKE(subject::free_aligned_sized(block, 16, size),
                      HasSubstr(Hex(block) + gone.Of()));
  }
}

TEST_P(ArenaGoneDeathTest, SizeAndRealloc) {
  const Leftovers gone(Options());
  for (void* const block : gone.blocks) {
    const std::string line = Line(kUseOf, block, gone.Of());
    EXPECT_STOPS(subject::malloc_usable_size(block), line);
    EXPECT_STOPS(subject::realloc(block, 50), line);
  }
  const std::string line = Line(kUseOf, gone.blocks[4], gone.Of());
  EXPECT_STOPS(subject::reallocarray(gone.blocks[4], 3, 50), line);
}

// Of a free by realloc it may say either.
TEST_P(ArenaGoneDeathTest, ReallocToNothing) {
  const Leftovers gone(Options());
  void* const block = gone.blocks[4];
  EXPECT_STOPS_LIKE(subject::realloc(block, 0),
                    HasSubstr(Hex(block) + gone.Of()));
}

TEST_P(ArenaGoneDeathTest, ReallocInAnotherArena) {
  const Leftovers gone(Options());
  ScopedArena other(Options());
  void* const block = gone.blocks[4];
  EXPECT_STOPS_LIKE(
      subject::arena_realloc(other, block, 50),
      testing::AnyOf(testing::Eq(Line(kUseOf, block, gone.Of())),
                     testing::Eq(Says(ReallocIn(TextOf(other), Hex(block))))));
}

TEST_P(ArenaGoneDeathTest, BlocksOfChildrenThatWentAlong) {
  for (const bool destroy : {true, false}) {
    ScopedArena parent(Options());
    subject::ArenaOptions options = Options();
    options.parent = parent;
    options.name = "child";
    subject::Arena* const child = subject::arena_create(&options);
    void* const block = subject::arena_malloc(child, 100);
    const std::string text = TextOf(child);
    if (destroy) {
      parent.Destroy();
    } else {
      subject::arena_reset(parent);
    }
    EXPECT_STOPS(subject::free(block), Line(kFreeOf, block, OfGone(text)));
    EXPECT_STOPS(subject::arena_malloc(child, 8), Says(UseOfGone(text)));
  }
}

// Purges take the memory, not the knowledge; nor do arenas that came since,
// while none of them has blocks there.
TEST_P(ArenaGoneDeathTest, IsRemembered) {
  const Leftovers gone(Options());
  void* const block = gone.blocks[4];
  subject::purge();
  EXPECT_STOPS(subject::free(block), Line(kFreeOf, block, gone.Of()));
  const auto others_go = [](int count) {
    for (int i = 0; i < count; ++i)
      subject::arena_destroy(subject::arena_create(nullptr));
  };
  others_go(100);
  EXPECT_STOPS(subject::free(block), Line(kFreeOf, block, gone.Of()));
  EXPECT_STOPS(subject::arena_reset(gone.handle), gone.Used());
  // Its name only as one of the last 256.
  const std::string number = gone.text.substr(0, gone.text.find(" ("));
  for (const int more : {300, 70000}) {
    others_go(more);
    EXPECT_STOPS_LIKE(
        subject::free(block),
        MatchesRegex(Quoted("alcove[" + std::string(subject::prefix) +
                            "]: free of " + Hex(block) + ", a block of " +
                            number) +
                     "( \\(departed\\))?, which is gone\n"));
    EXPECT_STOPS_LIKE(
        subject::arena_malloc(gone.handle, 8),
        MatchesRegex(Quoted("alcove[" + std::string(subject::prefix) +
                            "]: use of " + number) +
                     "( \\(departed\\))?, which is gone\n"));
  }
}

// With the knob, new blocks do not take the place of what is gone at once.
TEST_P(ArenaGoneDeathTest, IsRememberedInQuarantine) {
  if (!Quarantines()) GTEST_SKIP() << "the place may be another block's";
  const Leftovers gone(Options());
  std::vector<void*> elsewhere;
  for (int i = 0; i < 5; ++i) {
    const Leftovers more(Options());
    for (const size_t size : kSizesOfAllKinds)
      elsewhere.push_back(subject::malloc(size));
  }
  ScopedArena next(Options());
  for (const size_t size : kSizesOfAllKinds) subject::arena_malloc(next, size);
  for (void* const block : gone.blocks) {
    EXPECT_STOPS(subject::free(block), Line(kFreeOf, block, gone.Of()));
  }
  for (void* const block : elsewhere) subject::free(block);
}

// ---- Reset ----

TEST_P(ArenaGoneDeathTest, FreeOfABlockThatAResetEnded) {
  ScopedArena arena(Options());
  for (const size_t size : kSizesOfAllKinds) {
    void* const block = subject::arena_malloc(arena, size);
    subject::arena_reset(arena);
    EXPECT_STOPS_LIKE(
        {
          subject::free(block);
          subject::thread_detach();
        },
        testing::AllOf(testing::StartsWith("alcove["),
                       HasSubstr(" " + Hex(block))));
  }
}

INSTANTIATE_IN_BOTH_MODES(ArenaGoneDeathTest);

}  // namespace
}  // namespace contract
