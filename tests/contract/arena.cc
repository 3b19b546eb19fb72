#include "tests/contract/arena.h"

#include <cerrno>
#include <cstdio>
#include <utility>

#include "tests/contract/messages.h"

namespace contract {

subject::ArenaOptions Options(uint32_t mode) {
  subject::ArenaOptions options = {};
  options.struct_size = sizeof(options);
  options.mode = mode;
  return options;
}

subject::ArenaStats StatsOf(subject::Arena* arena) {
  subject::ArenaStats stats = {};
  stats.struct_size = sizeof(stats);
  EXPECT_EQ(subject::arena_stats(arena, &stats), 0);
  return stats;
}

std::vector<subject::ArenaClassStats> ClassesOf(subject::Arena* arena) {
  std::vector<subject::ArenaClassStats> classes(512);
  const size_t count =
      subject::arena_class_stats(arena, classes.data(), classes.size());
  EXPECT_LE(count, classes.size());
  classes.resize(count);
  return classes;
}

bool Quarantines() { return Config().at("arena_quarantine") != "0"; }

std::string TextOf(subject::Arena* arena) {
  const subject::ArenaStats stats = StatsOf(arena);
  return ArenaText(stats.number, stats.name);
}

std::string Says(const std::string& text) {
  return "alcove[" + std::string(subject::prefix) + "]: " + text + "\n";
}

std::string Hex(const void* address) {
  char text[32];
  std::snprintf(text, sizeof(text), "0x%zx",
                reinterpret_cast<uintptr_t>(address));
  return text;
}

ScopedArena::ScopedArena(const subject::ArenaOptions& options)
    : arena_(subject::arena_create(&options)) {
  EXPECT_NE(arena_, nullptr);
}

void ScopedArena::Destroy() {
  subject::arena_destroy(std::exchange(arena_, nullptr));
}

int ErrnoAfter(const std::function<void()>& call) {
  errno = kUntouched;
  call();
  return errno;
}

int ErrnoOf(int code) { return IsOn("set_errno") ? code : kUntouched; }

}  // namespace contract
