// The rules that keep folders layers, as a function from a source file to what
// is wrong with it.
#ifndef ALCOVE_TESTS_LAYERS_LAYERS_H_
#define ALCOVE_TESTS_LAYERS_LAYERS_H_

#include <string>
#include <vector>

namespace alcove_tests {

// What breaks a rule in a file of core/ or platform/, one sentence each; empty
// if nothing. `path` is relative to the root of the repository.
//
//  - A file includes its own folder and folders below it, never above or beside
//  it:
//      api > arena, stats > heap > slab > region > size, hardening > base >
//      platform
//    and of platform/ the contract alone, platform/platform.h.
//  - platform/ includes nothing of core/ but core/base/config.h: the
//  configuration is what
//    everything is compiled with.
//  - No header of a library, but for the two that a freestanding compiler
//  brings.
//  - Outside platform/ nothing is conditional for the preprocessor, and nothing
//  knows the
//    operating system or the CPU.
std::vector<std::string> BrokenRules(const std::string& path,
                                     const std::string& text);

// The text without comments, strings and characters; lines stay where they are.
std::string CodeOf(const std::string& text);

}  // namespace alcove_tests

#endif  // ALCOVE_TESTS_LAYERS_LAYERS_H_
