// What an object file will take in a program.
#ifndef BENCH_MANY_INSTANCES_ELF_SIZE_H_
#define BENCH_MANY_INSTANCES_ELF_SIZE_H_

#include <cstddef>
#include <string>

namespace bench {

struct ElfSize {
  size_t code = 0;
  size_t constants = 0;  // unwind tables too
  size_t data = 0;       // initialised and not
  size_t tls = 0;
};

// Reads a 64-bit ELF object; false if it is none.
bool ReadElfSize(const std::string& path, ElfSize* size);

}  // namespace bench

#endif  // BENCH_MANY_INSTANCES_ELF_SIZE_H_
