// What an instance says when it stops, word for word: users search for these
// lines.
#ifndef TESTS_CONTRACT_MESSAGES_H_
#define TESTS_CONTRACT_MESSAGES_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace contract {

inline constexpr char kDoubleFree[] = "double free of";
inline constexpr char kFreeInside[] = "free inside a block at";
inline constexpr char kFreeNeverAllocated[] =
    "free of a block never allocated at";
inline constexpr char kFreeNoBlock[] = "free of memory that is in no block, at";
inline constexpr char kFreeForeign[] =
    "free of memory that is not this instance's, at";
inline constexpr char kUseAfterFree[] =
    "size or realloc asked of memory that is in no block, at";
inline constexpr char kUseInside[] =
    "size or realloc asked of the inside of a block at";
inline constexpr char kUseForeign[] =
    "size or realloc asked of memory that is not this instance's, at";
inline constexpr char kWrongSize[] =
    "sized free with a size that cannot be that of";
inline constexpr char kWrongAlignment[] =
    "sized free with an alignment that cannot be that of";

// Of a block whose arena is gone; OfGone follows the address.
inline constexpr char kFreeOf[] = "free of";
inline constexpr char kUseOf[] = "size or realloc asked of";

// "arena 7 (name)", or "arena 7" of one without a name.
inline std::string ArenaText(uint64_t number, const std::string& name) {
  return "arena " + std::to_string(number) +
         (name.empty() ? "" : " (" + name + ")");
}

inline std::string OfGone(const std::string& arena) {
  return ", a block of " + arena + ", which is gone";
}
inline std::string UseOfGone(const std::string& arena) {
  return "use of " + arena + ", which is gone";
}
inline constexpr char kUseOfNone[] = "use of an arena that never was,";

// "realloc in arena 7 (name) of 0x7f0012345678, which is not its block".
inline std::string ReallocIn(const std::string& arena,
                             const std::string& address) {
  return "realloc in " + arena + " of " + address + ", which is not its block";
}

// What follows the address where the block's size is known.
inline std::string OfBytes(size_t size) {
  return " (a block of " + std::to_string(size) + " bytes)";
}

}  // namespace contract

#endif  // TESTS_CONTRACT_MESSAGES_H_
