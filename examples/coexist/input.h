// The files to read if none are named: all text below a directory.
#ifndef EXAMPLES_COEXIST_INPUT_H_
#define EXAMPLES_COEXIST_INPUT_H_

#include "examples/common/files.h"

namespace coexist {

using common::File;
using common::Input;

// Reads what is text below the workspace, or below the working directory where
// there is none. Hidden files and Bazel's links are left out.
Input ReadSources();

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_INPUT_H_
