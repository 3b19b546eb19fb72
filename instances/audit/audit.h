// Decides whether an instance is alone: whether its object file defines exactly
// the public names, needs nothing, and does nothing when it is loaded.
//
// It reads the object that users will link, after everything that could hide or
// rename something, and the same list of names that the entry points are
// written from.
#ifndef ALCOVE_INSTANCES_AUDIT_AUDIT_H_
#define ALCOVE_INSTANCES_AUDIT_AUDIT_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "instances/audit/elf_object.h"

namespace alcove::audit {

// What an instance is allowed.
struct Policy {
  std::string instance;  // its label, for messages
  std::string prefix;    // e.g. "render_"
  // Public names, without the prefix: of functions, and of the thread-local
  // variables that inlined code reads.
  std::vector<std::string> names;
  std::vector<std::string> thread_locals;
  std::set<std::string> externals;  // undefined symbols that its knobs need
  std::set<std::string> lacks;      // names that its knobs take away
  uint64_t static_tls_bytes = 8;    // its budget
};

// What an instance turned out to have.
struct Counts {
  std::vector<std::string> defined;    // external symbols, sorted
  std::vector<std::string> undefined;  // needed symbols, sorted
  uint64_t tls_bytes = 0;
  uint64_t static_tls_bytes =
      0;                        // the same, unless all of it is found by calls
  uint64_t text_bytes = 0;      // executable
  uint64_t constant_bytes = 0;  // loaded, neither executable nor writable
  uint64_t data_bytes = 0;      // writable, with contents
  uint64_t zeroed_bytes = 0;    // writable, without
};

// Reads a policy's names and thread-locals from the text of a public_names.def:
// ALCOVE_PUBLIC_NAME(name) or ALCOVE_PUBLIC_THREAD_LOCAL(name) a line, and
// comments. Returns false, with one sentence in *error, if there is anything
// else.
bool ParsePublicNames(std::string_view text, Policy* policy,
                      std::string* error);

// Returns one line for each reason to refuse the object, most telling first;
// none if the instance may be linked.
std::vector<std::string> Audit(const ElfObject& object, const Policy& policy);

Counts Count(const ElfObject& object);

// The object's bytes with every external symbol that it defines hidden: for a
// shared object that is to export none of them.
std::string WithHiddenSymbols(std::string_view bytes, const ElfObject& object);

// The counts as `key: value` lines, then the external symbols.
std::string ReportText(const Counts& counts, const Policy& policy);

}  // namespace alcove::audit

#endif  // ALCOVE_INSTANCES_AUDIT_AUDIT_H_
