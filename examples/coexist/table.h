// One table: a column for each allocator, a row for each thing to know.
#ifndef EXAMPLES_COEXIST_TABLE_H_
#define EXAMPLES_COEXIST_TABLE_H_

#include <string>

#include "examples/coexist/ownership.h"

namespace coexist {

// The allocators as they are now, and what `ownership` has sampled.
std::string MakeTable(const Ownership& ownership);

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_TABLE_H_
