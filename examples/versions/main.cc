// A program in the middle of a change: one subsystem in two versions, each with
// its own version of Alcove, and both at work while texts move from one to the
// other.
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_format.h"
#include "examples/common/channel.h"
#include "examples/versions/address_space.h"
#include "examples/versions/picture.h"
#include "examples/versions/store.h"
#include "examples/versions/store_new_heap.h"
#include "examples/versions/store_old_heap.h"
#include "registry/registry.h"

ABSL_FLAG(uint64_t, texts, 100000, "how many; 1 to 10000000");

namespace versions {
namespace {

// What the program ends with.
enum ExitCode { kGood = 0, kBroken = 1, kBadInput = 2 };

using OldStore = Store<store_old::allocator>;
using NewStore = Store<store_new::allocator>;

std::string TextOf(uint64_t key) {
  return absl::StrFormat("text %d%s", key, std::string(key % 200, '.'));
}

// Two threads fill the old store, and two move every other text on, right behind
// them.
void Work(const std::vector<std::string>& texts, OldStore& old_store,
          NewStore& new_store) {
  constexpr int kEach = 2;
  common::Channel<uint64_t> written(kEach);
  std::vector<std::thread> threads;
  for (int t = 0; t < kEach; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t key = t; key < texts.size(); key += kEach) {
        old_store.Put(key, texts[key]);
        if (key / kEach % 2 == 0) written.Send(key);
      }
      written.Close();
    });
    threads.emplace_back([&] {
      while (const auto key = written.Receive()) {
        old_store.Get(*key,
                      [&](const auto& text) { new_store.Put(*key, text); });
        old_store.Remove(*key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Whether an address is nobody's but the instance's of this prefix; nobody's at
// all if that is empty.
bool IsOwnedBy(const void* address, const std::string& prefix) {
  alcove_instance_entry owner;
  const int found = alcove_registry_owner_of(address, &owner);
  return (store_old_owns(address) != 0) == (prefix == "store_old_") &&
         (store_new_owns(address) != 0) == (prefix == "store_new_") &&
         found == (prefix.empty() ? 0 : 1) &&
         (found == 0 || owner.prefix == prefix);
}

// Whether every text is in one of the stores, and in memory of that one's.
bool Check(const std::vector<std::string>& texts, OldStore& old_store,
           NewStore& new_store) {
  bool good = true;
  for (uint64_t key = 0; key < texts.size(); ++key) {
    const auto check = [&](const char* prefix) {
      return [&good, &expected = texts[key], key, prefix](const auto& text) {
        good = good && text == expected.c_str();
        // Short ones have no block.
        if (key % 1000 == 999) good = good && IsOwnedBy(text.data(), prefix);
      };
    };
    const int found = old_store.Get(key, check("store_old_")) +
                      new_store.Get(key, check("store_new_"));
    if (key % 1000 == 999) good = good && IsOwnedBy(texts[key].data(), "");
    good = good && found == 1;
  }
  return good;
}

const char* YesOrNo(bool yes) { return yes ? "yes" : "NO"; }

int Main() {
  const uint64_t count = absl::GetFlag(FLAGS_texts);
  if (count < 1 || count > 10000000) {
    absl::FPrintF(stderr, "versions: --texts takes 1 to 10000000\n");
    return kBadInput;
  }
  std::vector<std::string> texts;  // malloc's
  std::vector<const void*> mallocs;
  for (uint64_t key = 0; key < count; ++key) {
    texts.push_back(TextOf(key));
    if (texts.back().size() > 50) mallocs.push_back(texts.back().data());
  }
  mallocs.push_back(texts.data());

  auto old_store = std::make_unique<OldStore>();
  NewStore new_store;
  Work(texts, *old_store, new_store);
  absl::PrintF(
      "%s\n# takes memory, + is accessible, . is reserved; each character "
      "doubles\n",
      Draw(LookAtAddressSpace(mallocs)));
  const bool good = Check(texts, *old_store, new_store);
  absl::PrintF("every text is in one store, in memory of its own: %s\n",
               YesOrNo(good));

  // The end of the one version; the other works on.
  old_store.reset();
  const int error = store_old_shutdown();
  absl::PrintF("store_old_ is shut down: %s\n\n%s", YesOrNo(error == 0),
               Draw(LookAtAddressSpace(mallocs)));
  bool rest = true;
  for (uint64_t key = 0; key < count; key += 4)
    rest = rest && new_store.Get(key, [&](const auto& text) {
      rest = rest && text == texts[key].c_str();
    });
  absl::PrintF("\nstore_new_ has its texts: %s\n", YesOrNo(rest));
  return good && error == 0 && rest ? kGood : kBroken;
}

}  // namespace
}  // namespace versions

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "has two versions of one subsystem at work, and draws whose the address "
      "space is\n\n"
      "  versions [--texts=N]\n\n"
      "Ends with 0 if all held, 1 if a promise did not, 2 if a flag makes no "
      "sense.");
  absl::ParseCommandLine(argc, argv);
  try {
    return versions::Main();
  } catch (const std::exception& wrong) {
    absl::FPrintF(stderr, "versions: %s\n", wrong.what());
    return versions::kBroken;
  }
}
