// Each mutant of the core's source, and each of its orders weakened by one step,
// is caught by some interleaving of some scenario; but for those of which it is
// known why not.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/model/cases.h"

namespace alcove_model {
namespace {

// Mutants that no scenario catches, and why. README.md says more.
const std::map<std::string, std::string>& Survivors() {
  static const auto* const survivors = new std::map<std::string, std::string>{
      {"step_2_before_1",
       "a later owner is as good as an older one, and null means that the "
       "block has come home"},
      {"counts_the_missing_out",
       "when nobody ends or begins a child, nobody counts"},
      {"break.cc Await CompareExchange: acquire to relaxed",
       "who is succeeded is gone: the kernel was in between"},
      {"break.cc Await FetchOr: acq_rel to acquire",
       "who comes then has heard here of the one that is gone"},
      {"break.cc Await FetchOr: acq_rel to release",
       "who is succeeded is gone: the kernel was in between"},
      {"break.cc CommitTo Load: acquire to relaxed",
       "here all is accessible from the start"},
      {"break.cc GiveBack Load: acquire to relaxed",
       "here the range is there from the start"},
      {"break.cc Grow Load: acquire to relaxed",
       "here the range is there from the start"},
      {"break.cc Grow Load 2: acquire to relaxed",
       "here the range is there from the start"},
      {"break.cc Grow Load 3: acquire to relaxed",
       "the exchange that comes after it is"},
      {"break.cc Shrink Load: acquire to relaxed",
       "here the range is there from the start"},
      {"break.cc Shrink CompareExchange 2: acq_rel to release",
       "what is given back, its users have agreed on before"},
      {"combiner.h Drain Store: release to relaxed",
       "a slot in hand is read only in a scenario that is too large for this"},
      {"combiner.h Drain Store 2: release to relaxed",
       "nobody reads a slot here that is put back"},
      {"combiner.h TryEnter Store: release to relaxed",
       "nobody reads a slot here that is put back"},
      {"combiner.h Post Load: acquire to relaxed",
       "who hears that a thread is gone has seen what it did"},
      {"combiner.h TryEnter CompareExchange 2: acquire to relaxed",
       "who is succeeded is gone: the kernel was in between"},
      {"ending.h AwaitChildren CompareExchange: acquire to relaxed",
       "who finds that the others are gone has seen what they did"},
      {"ending.h ~Ending FetchSub: release to relaxed",
       "only who begins a child needs it, and that one has a heap"},
      {"fork_generation.cc Watch Load: acquire to relaxed",
       "here there is no page that a fork would wipe"},
      {"fork_generation.h Generation Load: acquire to relaxed",
       "here there is no page that a fork would wipe"},
      {"ledger.h VisitSlots Load: acquire to relaxed",
       "no ledger here has a second group"},
      {"remote.h Announce Exchange: seq_cst to acq_rel",
       "the model's order of sequentially consistent operations is that of "
       "execution; in C++20's the free's bit could come behind the look at it"},
      {"remote.h FreeRemotely Load: seq_cst to acquire",
       "CreateSlab's store is: either of the two will do"},
      {"slab.cc CreateSlab Store: seq_cst to release",
       "FreeRemotely's load is: either of the two will do"},
      {"slab.cc RetireSlab Store: seq_cst to release",
       "who reads the former owner sends the slab to that one, which does no "
       "harm"},
      {"tenancy.h Renew Store: release to relaxed",
       "an exchange here reads the last store of execution; in C++20's model "
       "the "
       "word's could come behind"},
      {"tenancy.h process Load: acquire to relaxed",
       "the other half of Renew's store"},
      {"tenancy.h thread Load: acquire to relaxed",
       "who asks whose a heap is reads nothing else of it"},
  };
  return *survivors;
}

// The scenarios for mutants of a protocol, those with few states first, and where
// the core's orders are in them.
struct Protocol {
  std::vector<std::pair<uint64_t, size_t>> scenarios;  // states, and which
  std::set<Place> places;
};
std::map<std::string, Protocol>& Protocols() {
  static auto* const protocols = [] {
    auto* const all = new std::map<std::string, Protocol>;
    for (const Suite& suite : Suites()) {
      if (!suite.mutant.empty()) continue;
      Protocol& protocol = (*all)[suite.protocol];
      for (size_t i = 0; i < suite.scenarios.size(); ++i) {
        if (suite.scenarios[i].size != Size::kSmall) continue;
        const Result result = Explore(suite.scenarios[i]);
        EXPECT_FALSE(result.failed) << result.what << "\n" << result.schedule;
        protocol.scenarios.emplace_back(result.states, i);
        for (const Place& place : result.places) {
          if (place.file.find("_cases.cc") == std::string::npos)
            protocol.places.insert(place);
        }
      }
      std::sort(protocol.scenarios.begin(), protocol.scenarios.end());
    }
    return all;
  }();
  return *protocols;
}

// What catches it; "" if nothing does.
std::string Catcher(const Suite& suite, const Options& options) {
  for (const auto& [states, i] : Protocols()[suite.protocol].scenarios) {
    const Scenario& scenario = suite.scenarios[i];
    const Result result = Explore(scenario, options);
    EXPECT_TRUE(result.failed || result.complete) << scenario.name;
    if (result.failed) return std::string(scenario.name) + ": " + result.what;
  }
  return "";
}

void Judge(const std::string& mutant, const std::string& catcher) {
  const auto survivor = Survivors().find(mutant);
  if (survivor == Survivors().end()) {
    EXPECT_NE(catcher, "") << mutant << " is not caught";
  } else {
    EXPECT_EQ(catcher, "") << mutant << " is caught now";
  }
  printf("%-60s %s\n", mutant.c_str(),
         catcher.empty() ? "SURVIVES" : catcher.c_str());
  fflush(stdout);
}

TEST(MutantsTest, EachChangeOfTheSourceIsCaught) {
  unsigned mutants = 0;
  for (const Suite& suite : Suites()) {
    if (suite.mutant.empty()) continue;
    ++mutants;
    Judge(suite.mutant, Catcher(suite, {}));
  }
  EXPECT_GT(mutants, 0u);
}

TEST(MutantsTest, EachWeakerOrderIsCaught) {
  // Which suites reach a place.
  std::map<Place, std::vector<const Suite*>> reached;
  for (const Suite& suite : Suites()) {
    if (!suite.mutant.empty()) continue;
    for (const Place& place : Protocols()[suite.protocol].places)
      reached[place].push_back(&suite);
  }
  EXPECT_FALSE(reached.empty());
  std::map<std::string, int> seen;
  for (const auto& [place, suites] : reached) {
    // "remote.h Announce Exchange", with " 2" behind a function's second one.
    std::string name =
        place.file + " " + place.function + " " + place.operation;
    const int number = ++seen[name];
    if (number > 1) name += " " + std::to_string(number);
    for (const int order : WeakerOrders(place)) {
      const Weakening weakening = {place, order};
      Options options;
      options.weakening = &weakening;
      std::string catcher;
      for (const Suite* suite : suites) {
        if (catcher.empty()) catcher = Catcher(*suite, options);
      }
      Judge(name + ": " + OrderName(place.order) + " to " + OrderName(order),
            catcher);
    }
  }
}

}  // namespace
}  // namespace alcove_model
