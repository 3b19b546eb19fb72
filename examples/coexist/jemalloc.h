// jemalloc, which is this process's malloc, by its own control interface.
#ifndef EXAMPLES_COEXIST_JEMALLOC_H_
#define EXAMPLES_COEXIST_JEMALLOC_H_

#include <string>

#include "examples/coexist/heaps.h"

namespace coexist::jemalloc {

std::string Version();

Figures TakeFigures();

// Whether malloc, free and operator new are jemalloc's: jemalloc's own count of
// what this thread allocated and freed has to go up by what they do.
bool IsMalloc();

}  // namespace coexist::jemalloc

#endif  // EXAMPLES_COEXIST_JEMALLOC_H_
