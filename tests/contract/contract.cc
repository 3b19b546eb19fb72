#include "tests/contract/contract.h"

#include <cstring>

namespace contract {

namespace {

uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15;
  return x ^ (x >> 29);
}

// Takes a JSON string, number or word from the front of `text`; empty if there
// is none.
std::string TakeValue(std::string& text) {
  size_t end = 0;
  if (!text.empty() && text[0] == '"') {
    end = text.find('"', 1);
    end = end == std::string::npos ? 0 : end + 1;
  } else {
    end = text.find_first_not_of("-0123456789abcdefghijklmnopqrstuvwxyz");
    if (end == std::string::npos) end = text.size();
  }
  const std::string value = text.substr(0, end);
  text.erase(0, end);
  return value;
}

bool Take(std::string& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.erase(0, 1);
  return true;
}

}  // namespace

subject::Stats GetStats() {
  subject::Stats stats = {};
  stats.struct_size = sizeof(stats);
  EXPECT_EQ(subject::stats(&stats), 0);
  return stats;
}

std::map<std::string, std::string> Config() {
  std::map<std::string, std::string> config;
  std::string text = subject::config();
  bool good = Take(text, '{');
  while (good && !Take(text, '}')) {
    const std::string key = TakeValue(text);
    good = key.size() > 2 && key[0] == '"' && Take(text, ':');
    const std::string value = TakeValue(text);
    good = good && !value.empty() &&
           config.emplace(key.substr(1, key.size() - 2), value).second;
    if (!Take(text, ',')) good = good && text == "}";
  }
  EXPECT_TRUE(good && text.empty())
      << subject::config() << "\nhas at fault: " << text;
  return config;
}

bool IsOn(const std::string& knob) {
  const auto config = Config();
  const auto entry = config.find(knob);
  EXPECT_NE(entry, config.end()) << knob;
  return entry != config.end() && entry->second == "true";
}

std::string Line(const std::string& what, const void* address,
                 const std::string& rest) {
  char text[512];
  std::snprintf(text, sizeof(text), "alcove[%s]: %s %p%s\n", subject::prefix,
                what.c_str(), address, rest.c_str());
  return text;
}

// Word by word, and of the last one as many bytes as fit, so that the first
// part of a filled block is what filling a smaller one would have given.
void Fill(void* block, size_t size, uint64_t seed) {
  auto* const bytes = static_cast<unsigned char*>(block);
  size_t at = 0;
  for (; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
    const uint64_t word = Mix(seed + at);
    std::memcpy(bytes + at, &word, sizeof(word));
  }
  const uint64_t last = Mix(seed + at);
  std::memcpy(bytes + at, &last, size - at);
}

testing::AssertionResult Holds(const void* block, size_t size, uint64_t seed) {
  const auto* const bytes = static_cast<const unsigned char*>(block);
  size_t at = 0;
  bool good = true;
  while (good && at + sizeof(uint64_t) <= size) {
    const uint64_t word = Mix(seed + at);
    good = std::memcmp(bytes + at, &word, sizeof(word)) == 0;
    at += good ? sizeof(word) : 0;
  }
  const uint64_t last = Mix(seed + at);
  if (good && std::memcmp(bytes + at, &last, size - at) == 0)
    return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "the block of " << size << " bytes at " << block
         << " was overwritten near byte " << at;
}

testing::AssertionResult IsZero(const void* block, size_t size) {
  const auto* const bytes = static_cast<const char*>(block);
  if (size == 0 ||
      (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0)) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << "the block at " << block << " is not zero";
}

void ContractTest::SetUp() { ASSERT_EQ(subject::shutdown(), 0); }

void ContractTest::TearDown() {
  const subject::Stats stats = GetStats();
  EXPECT_EQ(stats.blocks_live, 0u);
  EXPECT_EQ(stats.bytes_live, 0u);
  EXPECT_EQ(stats.arenas, 0u);
  EXPECT_EQ(subject::shutdown(), 0);
}

}  // namespace contract
