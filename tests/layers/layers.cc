#include "tests/layers/layers.h"

#include <map>
#include <regex>
#include <sstream>

namespace alcove_tests {

namespace {

// Higher ones may include lower ones; equal ones are beside each other.
const std::map<std::string, int>& Ranks() {
  static const auto* const ranks = new std::map<std::string, int>{
      {"core/api", 8},  {"core/arena", 7},     {"core/stats", 7},
      {"core/heap", 6}, {"core/slab", 5},      {"core/region", 4},
      {"core/size", 3}, {"core/hardening", 3}, {"core/base", 2},
      {"platform", 1},
  };
  return *ranks;
}

// "core/heap" of "core/heap/bin.h"; "platform" of all that is below it; else
// "".
std::string LayerOf(const std::string& path) {
  for (const auto& [layer, rank] : Ranks()) {
    if (path.compare(0, layer.size() + 1, layer + "/") == 0) return layer;
  }
  return "";
}

std::string BrokenInclude(const std::string& path, const std::string& layer,
                          const std::string& included) {
  if (included == "<stddef.h>" || included == "<stdint.h>") return "";
  if (included.front() == '<') return "includes a header of a library";
  if (included.front() != '"') {
    if ((included == "ALCOVE_PUBLIC_HEADER" ||
         included == "ALCOVE_INLINE_HEADER") &&
        layer == "core/api") {
      return "";
    }
    return "includes what a macro names";
  }
  const std::string target = included.substr(1, included.size() - 2);
  if (target == "alcove_config.h") {
    return path == "core/base/config.h"
               ? ""
               : "only core/base/config.h reads the configuration";
  }
  const std::string target_layer = LayerOf(target);
  if (target_layer.empty()) return "is in no layer";
  if (target_layer == layer) return "";
  if (layer == "platform") {
    return target == "core/base/config.h"
               ? ""
               : "points up: platform is the lowest layer";
  }
  const int rank = Ranks().at(layer);
  const int target_rank = Ranks().at(target_layer);
  if (target_rank > rank) return "points up";
  if (target_rank == rank) return "points aside";
  if (target_layer == "platform" && target != "platform/platform.h") {
    return "goes around the contract, platform/platform.h";
  }
  return "";
}

// ALCOVE_CORE_HEAP_BIN_H_ of core/heap/bin.h.
std::string GuardOf(const std::string& path) {
  std::string guard = "ALCOVE_";
  for (const char c : path) {
    guard += isalnum(static_cast<unsigned char>(c))
                 ? static_cast<char>(toupper(c))
                 : '_';
  }
  return guard + "_";
}

}  // namespace

std::string CodeOf(const std::string& text) {
  std::string code;
  enum { kCode, kLine, kBlock, kString, kCharacter } state = kCode;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '\n') {
      code += c;
      if (state != kBlock) state = kCode;
      continue;
    }
    switch (state) {
      case kCode:
        if (c == '/' && next == '/') state = kLine;
        if (c == '/' && next == '*') state = kBlock;
        if (c == '"') state = kString;
        // Not the ' of 1'000.
        if (c == '\'' && (code.empty() ||
                          !isalnum(static_cast<unsigned char>(code.back())))) {
          state = kCharacter;
        }
        code += state == kCode ? c : ' ';
        break;
      case kString:
      case kCharacter:
        if (c == '\\') {
          ++i;
        } else if (c == (state == kString ? '"' : '\'')) {
          state = kCode;
        }
        break;
      case kBlock:
        if (c == '*' && next == '/') {
          state = kCode;
          ++i;
        }
        break;
      case kLine:
        break;
    }
  }
  return code;
}

std::vector<std::string> BrokenRules(const std::string& path,
                                     const std::string& text) {
  static const std::regex include(R"(^\s*#\s*include\s*(<[^>]*>|"[^"]*"|\w+))");
  static const std::regex conditional(
      R"(^\s*#\s*(if|ifdef|ifndef|elif|else)\b\s*(\w*))");
  static const std::regex machine(
      R"(\b(asm|__asm__|__asm|__builtin_ia32_\w+|__builtin_aarch64_\w+|_mm\d*_\w+)"
      R"(|__x86_64__|__amd64__|__i386__|__aarch64__|__riscv|__linux__|__unix__|_WIN32|__APPLE__)"
      R"(|SYS_\w+|__NR_\w+|syscall|mmap|munmap|mprotect|mremap|madvise|futex|rdtsc|gettid)\b)");
  const std::string layer = LayerOf(path);
  if (layer.empty()) return {path + " is in no layer"};
  std::vector<std::string> broken;
  std::istringstream lines(text);
  std::istringstream code_lines(CodeOf(text));
  std::string line;
  std::string code;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::getline(code_lines, code);
    const std::string place = path + ":" + std::to_string(number) + ": ";
    std::smatch match;
    if (std::regex_search(line, match, include)) {
      const std::string wrong = BrokenInclude(path, layer, match[1]);
      if (!wrong.empty())
        broken.push_back(place + match[1].str() + " " + wrong);
    }
    if (layer == "platform") continue;
    if (std::regex_search(code, match, conditional) &&
        !(match[1] == "ifndef" && match[2] == GuardOf(path))) {
      broken.push_back(place + "#" + match[1].str() + " outside platform/");
    }
    if (std::regex_search(code, match, machine)) {
      broken.push_back(place + match[1].str() + " is known to platform/ only");
    }
  }
  return broken;
}

}  // namespace alcove_tests
