// core/region/break.h: threads that move one break, in words of 8 bytes and pages of
// two of them.
#include <string.h>

#define ALCOVE_CORE_REGION_BREAK_PATIENCE_H_
#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace break_patience {

inline constexpr unsigned kYields = 1;
inline constexpr unsigned kRounds = 3;

}  // namespace break_patience
}  // namespace ALCOVE_CORE_NAMESPACE

#include "core/base/fork_generation.cc"
#include "core/region/break.h"
#include "tests/model/cases.h"
#include ALCOVE_MODEL_BREAK_CC

namespace ALCOVE_CORE_NAMESPACE {
namespace {

using alcove_model::AwaitEnd;
using alcove_model::Fork;
using alcove_model::Fresh;
using alcove_model::Name;
using alcove_model::Require;
using alcove_model::Scenario;
using alcove_model::Self;
using alcove_model::Size;
using alcove_model::Watch;

constexpr intptr_t kWord = 8;
constexpr size_t kPage = 16;
constexpr size_t kWords = 8;

struct World {
  alignas(4096) uint64_t memory[kWords];
  Break program_break;
  ForkGeneration generation;
};
Fresh<World> world;
bool in_setup;

uint64_t* Move(intptr_t n) {
  return reinterpret_cast<uint64_t*>(
      world->program_break.Move(n, &world->generation));
}

// The words 0 to `count` - 1 are somebody's, and hold something.
template <int count>
void SetUp() {
  world.Reset();
  in_setup = true;
  Require(Move(count * kWord) == world->memory, "it begins");
  for (int i = 0; i < count; ++i) world->memory[i] = 1;
  in_setup = false;
  static const char* const kNames[kWords] = {"word 0", "word 1", "word 2",
                                             "word 3", "word 4", "word 5",
                                             "word 6", "word 7"};
  for (size_t i = 0; i < kWords; ++i)
    Watch(&world->memory[i], sizeof(uint64_t), kNames[i]);
  Name(&world->program_break, "break");
}

// What a thread does with a word that is its own now.
void Use(uint64_t* word) {
  Require(*word == 0, "what is added does not read as zero");
  *word = 10 + Self();
  Require(*word == 10 + Self(), "two have the same word");
}

void GrowAndUse() {
  if (uint64_t* const word = Move(kWord)) Use(word);
}
void MustGrow() {
  uint64_t* const word = Move(kWord);
  Require(word != nullptr, "it waits for one who is not there");
  Use(word);
}

// What it gets is its own only if it was given back before: else the one who gives
// back takes it away again.
template <int first_given_back>
void GrowIntoWhatWasGivenBack() {
  uint64_t* const word = Move(kWord);
  if (word != nullptr && word < &world->memory[first_given_back + 2]) Use(word);
}

// Gives two words back, with the second half of a page.
void Shrink() { Move(-2 * kWord); }

// Cannot be done, but ends what another one began.
void ShrinkTooFar() {
  Require(Move(-100 * kWord) == nullptr, "it came before its start");
}

const Scenario kTwoGrow = {"two threads add to the break",
                           SetUp<1>,
                           {{"A", MustGrow}, {"B", MustGrow}},
                           [] {
                             Require(world->program_break.bytes() == 3 * kWord,
                                     "it is not where it should be");
                           }};

const Scenario kGrowWhileShrinking = {
    "a thread adds to the break while another one gives back",
    SetUp<3>,
    {{"A", GrowIntoWhatWasGivenBack<1>}, {"S", Shrink}},
    nullptr};

const Scenario kTwoGrowWhileShrinking = {
    "two threads add to the break while another one gives back",
    SetUp<3>,
    {{"A", GrowIntoWhatWasGivenBack<1>},
     {"B", [] { Move(kWord); }},
     {"S", Shrink}},
    nullptr,
    0,
    Size::kLong};

const Scenario kTwoShrink = {"two threads give back, and a third one adds",
                             SetUp<4>,
                             {{"S", Shrink},
                              {"T", [] { Move(-kWord); }},
                              {"A",
                               [] {
                                 AwaitEnd(0);
                                 AwaitEnd(1);
                                 MustGrow();
                               }}},
                             nullptr};

const Scenario kShrinkerStopped = {
    "who gives back is stopped at any step, and another one adds",
    SetUp<3>,
    {{"S", Shrink, true},
     {"A",
      [] {
        AwaitEnd(0);
        MustGrow();
      }}},
    nullptr};

const Scenario kTwoSucceed = {
    "who gives back is stopped at any step, and two add",
    SetUp<3>,
    {{"S", Shrink, true},
     {"A",
      [] {
        AwaitEnd(0);
        GrowAndUse();
      }},
     {"B",
      [] {
        AwaitEnd(0);
        GrowAndUse();
      }}},
    nullptr};

const Scenario kSuccessorStopped = {
    "who gives back is stopped at any step, and his successor, too",
    SetUp<3>,
    {{"S", Shrink, true},
     {"A",
      [] {
        AwaitEnd(0);
        ShrinkTooFar();
      },
      true},
     {"B",
      [] {
        AwaitEnd(0);
        AwaitEnd(1);
        MustGrow();
      }}},
    nullptr,
    2};

const Scenario kSucceededWhileGrowing = {
    "who gives back is stopped at any step; one succeeds him while another "
    "adds",
    SetUp<3>,
    {{"S", Shrink, true},
     {"A",
      [] {
        AwaitEnd(0);
        ShrinkTooFar();
      }},
     {"B",
      [] {
        AwaitEnd(0);
        GrowAndUse();
      }}},
    nullptr};

const Scenario kForked = {
    "a child of fork adds to what others were giving back",
    SetUp<3>,
    {{"S", Shrink},
     {"A",
      [] {
        Fork();
        MustGrow();
      }}},
    nullptr};

const alcove_model::Registration registration(
    {"private_break",
     ALCOVE_MODEL_MUTANT,
     {kTwoGrow, kGrowWhileShrinking, kTwoGrowWhileShrinking, kTwoShrink,
      kShrinkerStopped, kTwoSucceed, kSuccessorStopped, kSucceededWhileGrowing,
      kForked}});

}  // namespace

// ---- The system ----

namespace platform {

size_t PageSize() { return kPage; }
void* Reserve(size_t, size_t) { return world->memory; }
bool Commit(void*, size_t) { return true; }
bool Unmap(void*, size_t) { return true; }
void* MapWipedByFork(size_t) { return nullptr; }
bool Purge(void* address, size_t size) {
  auto* const words = static_cast<uint64_t*>(address);
  Require(size <= sizeof(world->memory), "it gives back what it has not");
  for (size_t i = 0; i < size / sizeof(uint64_t); ++i) words[i] = 0;
  return true;
}
ProcessId CurrentProcess() { return 100; }
ThreadId CurrentThread() { return in_setup ? 50 : Self() + 1; }
bool ThreadMayBeAlive(ThreadId thread) {
  return alcove_model::MayBeAlive(thread - 1);
}
bool SharesMemory(ProcessId) { return false; }
void Yield() { alcove_model::Yield(); }

}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
