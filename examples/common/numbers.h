// Numbers as people read them.
#ifndef EXAMPLES_COMMON_NUMBERS_H_
#define EXAMPLES_COMMON_NUMBERS_H_

#include <cstdint>
#include <string>

namespace common {

// "1,234,567".
std::string Number(uint64_t number);

// "12.3 MiB".
std::string Bytes(uint64_t bytes);

}  // namespace common

#endif  // EXAMPLES_COMMON_NUMBERS_H_
