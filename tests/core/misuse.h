// Death tests that assert the whole line, the address included.
#ifndef ALCOVE_TESTS_CORE_MISUSE_H_
#define ALCOVE_TESTS_CORE_MISUSE_H_

#include <signal.h>
#include <stdio.h>

#include <string>

#include "gmock/gmock.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {

// Called in the process that dies, whose addresses nobody else knows: the line
// is to be about this one, or a later one.
inline void Blame(const void* address) {
  fprintf(stderr, "blame %p\n", address);
}

// Standard error of a process that called Blame and then stopped with
// "alcove[test_]: <words> <address><rest>".
inline auto Line(const std::string& words, const std::string& rest = "") {
  return testing::Truly([=](const std::string& text) {
    const size_t from = text.rfind("blame ");
    const size_t end = text.find('\n', from);
    if (from == std::string::npos || end == std::string::npos) return false;
    const std::string address = text.substr(from + 6, end - from - 6);
    return text == text.substr(0, end + 1) + "alcove[test_]: " + words + " " +
                       address + rest + "\n";
  });
}

// " (a block of <size> bytes)"
inline std::string BlockOf(size_t size) {
  return " (a block of " + std::to_string(size) + " bytes)";
}

#define EXPECT_MISUSE(statement, ...) \
  EXPECT_EXIT(statement, testing::KilledBySignal(SIGABRT), Line(__VA_ARGS__))

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_TESTS_CORE_MISUSE_H_
