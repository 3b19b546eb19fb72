// What a run has shown, for people.
#ifndef EXAMPLES_ARENAS_SUMMARY_H_
#define EXAMPLES_ARENAS_SUMMARY_H_

#include <string>
#include <vector>

#include "examples/arenas/documents.h"
#include "examples/arenas/server.h"

namespace arenas {

// A row for each document.
std::string MakeTable(const std::vector<Document>& documents,
                      const Results& results);

// How many requests were served, how fast, what their arenas cost, and which
// failed of what.
std::string MakeSummary(const Plan& plan, const Results& results);

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_SUMMARY_H_
