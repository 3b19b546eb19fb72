// A picture of an address space, to be read in a terminal.
#ifndef EXAMPLES_VERSIONS_PICTURE_H_
#define EXAMPLES_VERSIONS_PICTURE_H_

#include <string>
#include <vector>

#include "examples/versions/address_space.h"

namespace versions {

// A line for each piece, in the order of addresses, and one for each large gap.
// A bar is longer by a character for each doubling, so that pages and terabytes
// are both seen: '#' as far as memory is taken, '+' to what is accessible, '.'
// to what is mapped.
std::string Draw(const std::vector<Piece>& pieces);

}  // namespace versions

#endif  // EXAMPLES_VERSIONS_PICTURE_H_
