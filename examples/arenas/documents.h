// What requests send: JSON texts, and what has to be made of them.
#ifndef EXAMPLES_ARENAS_DOCUMENTS_H_
#define EXAMPLES_ARENAS_DOCUMENTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "examples/arenas/digest.h"
#include "examples/common/files.h"

namespace arenas {

struct Document {
  std::string name;
  std::string text;
  // The reference's answer: the same code's, on malloc. Not known for the bad
  // document.
  Digest digest;
  std::string canonical;
  // Its tree does not fit in the hard quota, and is not meant to.
  bool bad = false;
};

// Documents of different sizes and shapes; the same in every run.
common::Input GenerateFiles();

// Answers each file, which moves to the end of `documents`; what is no JSON
// moves into `complaints`, with line and column.
void AddDocuments(common::Input& input, std::vector<Document>& documents);

// A short text of a tree that needs more than `quota` bytes.
Document MakeBad(size_t quota);

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_DOCUMENTS_H_
