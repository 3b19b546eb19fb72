// A queue of requests, and worker threads that serve them.
#ifndef EXAMPLES_ARENAS_SERVER_H_
#define EXAMPLES_ARENAS_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/arenas/documents.h"
#include "examples/arenas/request.h"
#include "examples/arenas/samples.h"

namespace arenas {

struct Plan {
  int threads = 1;
  uint64_t requests = 0;  // 0: as many as come in `seconds`
  double seconds = 0;
  Limits limits;
};

// The outcomes of some requests.
struct Tally {
  uint64_t served = 0;
  uint64_t wrong = 0;
  uint64_t no_memory = 0;
  uint64_t astray = 0;  // something lay outside of its arena
  uint64_t soft_quota_calls = 0;
  uint64_t over_soft_quota = 0;  // requests whose arena held more
  uint64_t calls_amiss = 0;    // served without the call that was due, or with
                               // one that was not
  size_t bytes_held = 0;       // by an arena, at most
  uint64_t all_arenas_ns = 0;  // to create and destroy them
  uint64_t all_requests_ns = 0;  // all that was spent on them, arenas included
  Samples create_ns;
  Samples destroy_ns;
  Samples total_ns;

  void Add(const Outcome& outcome, const Limits& limits);
  void Merge(const Tally& other);
};

// A request that was not served as it should be.
struct Failure {
  Request request;
  Outcome outcome;
};

struct Results {
  std::vector<Tally> tallies;  // for each document
  Tally total;
  std::vector<Failure> failures;  // the first few
  double seconds = 0;
};

// Serves the documents one after the other, again and again; each of the bad
// ones only once, when the others are under way.
Results RunServer(const std::vector<Document>& documents, const Plan& plan);

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_SERVER_H_
