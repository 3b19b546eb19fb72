// The word index of some files, built by three subsystems that work at the same
// time, each on an instance of its own:
//
//   tokenizers --Batch, of words_--> indexers --Bulletin, of report_-->
//   reporter
//
// Indexers free what tokenizers allocated, and the reporter what indexers did:
// blocks come home to their instances from other threads.
#ifndef EXAMPLES_COEXIST_PIPELINE_H_
#define EXAMPLES_COEXIST_PIPELINE_H_

#include <memory>
#include <string>
#include <vector>

#include "examples/coexist/index.h"
#include "examples/coexist/input.h"
#include "examples/coexist/ownership.h"
#include "examples/coexist/report.h"

namespace coexist {

struct Answer {
  std::vector<Index> shards;  // a word is in the one that its hash says
  Report report{report::resource()};
};

// Runs `threads` tokenizers, as many indexers, and a reporter. Samples the
// addresses of what they allocate into `ownership`.
Answer BuildIndex(const std::vector<File>& files, int threads,
                  Ownership& ownership);

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_PIPELINE_H_
