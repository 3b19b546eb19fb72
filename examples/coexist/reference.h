// The same work done the plain way: one thread, the standard containers, the
// process's malloc.
#ifndef EXAMPLES_COEXIST_REFERENCE_H_
#define EXAMPLES_COEXIST_REFERENCE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "examples/coexist/input.h"
#include "examples/coexist/pipeline.h"
#include "examples/coexist/text.h"

namespace coexist {

using Reference = std::map<std::string, std::vector<Place>>;

Reference BuildReference(const std::vector<File>& files);

// How many words the files have, each counted as often as it occurs.
uint64_t CountWords(const Reference& reference);

// What the pipeline's answer has wrong, in a sentence; empty if it is right.
std::string Difference(const Answer& answer, const Reference& reference);

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_REFERENCE_H_
