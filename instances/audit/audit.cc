#include "instances/audit/audit.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace alcove::audit {
namespace {

class Auditor {
 public:
  Auditor(const ElfObject& object, const Policy& policy)
      : object_(object), policy_(policy) {
    for (const std::string& name : policy.names) {
      if (policy.lacks.count(name) == 0) public_.insert(policy.prefix + name);
    }
    for (const std::string& name : policy.thread_locals) {
      if (policy.lacks.count(name) != 0) continue;
      public_thread_locals_.insert(policy.prefix + name);
    }
  }

  std::vector<std::string> Run() {
    CheckDefined();
    CheckUndefined();
    CheckMergedByName();
    CheckLoadTime();
    CheckStaticTls();
    CheckStack();
    CheckNotes();
    return std::move(findings_);
  }

 private:
  void Find(const std::string& what) {
    findings_.push_back("alcove audit: " + policy_.instance + " (prefix " +
                        policy_.prefix + "): " + what);
  }

  void CheckDefined() {
    std::set<std::string> defined;
    for (const Symbol& symbol : object_.symbols()) {
      if (symbol.bind == STB_LOCAL || symbol.IsUndefined()) continue;
      defined.insert(symbol.name);
      CheckExternal(symbol);
    }
    for (const auto* names : {&public_, &public_thread_locals_}) {
      for (const std::string& name : *names) {
        if (defined.count(name) == 0) {
          Find("public symbol '" + name +
               "' is not defined; define it in core/api or take it off "
               "public_names.def");
        }
      }
    }
  }

  void CheckExternal(const Symbol& symbol) {
    const std::string quoted = "'" + symbol.name + "'";
    // What it is comes before whether its name is known: it is the likelier
    // mistake.
    if (symbol.bind == STB_GNU_UNIQUE) {
      Find("external symbol " + quoted +
           " is STB_GNU_UNIQUE, one for the whole process; compile with "
           "-fno-gnu-unique, or "
           "do not keep state in an inline variable or a template's static");
    } else if (symbol.bind == STB_WEAK) {
      Find("external symbol " + quoted +
           " is weak, so that another definition can replace it; give it "
           "internal linkage");
    } else if (symbol.bind != STB_GLOBAL) {
      Find("external symbol " + quoted + " has the unknown binding " +
           std::to_string(symbol.bind) + "; give it internal linkage");
    } else if (symbol.section == SHN_COMMON || symbol.type == STT_COMMON) {
      Find(
          "external symbol " + quoted +
          " is a common block, which merges by name; give it internal linkage");
    } else if (public_thread_locals_.count(symbol.name) != 0) {
      CheckPublicThreadLocal(symbol, quoted);
    } else if (symbol.type == STT_TLS) {
      Find("external symbol " + quoted +
           " is thread-local; give it internal linkage");
    } else if (public_.count(symbol.name) == 0) {
      Find("external symbol " + quoted +
           " is not in the public list; give it internal linkage or hidden "
           "visibility, or add "
           "it to public_names.def");
    } else if (symbol.type != STT_FUNC && symbol.type != STT_GNU_IFUNC) {
      Find("public symbol " + quoted + " is no function; define it as one");
    } else if (symbol.visibility == STV_DEFAULT) {
      Find("public symbol " + quoted +
           " has default visibility, so that calls of it from a shared object "
           "can end in another's instance of the same prefix; make it "
           "protected");
    } else if (symbol.visibility != STV_PROTECTED) {
      Find("public symbol " + quoted +
           " is hidden; export it, or shared libraries of the program cannot "
           "call it");
    }
  }

  // What inlined code reads is one pointer: it is as private to its instance as
  // a function is, and nothing else may be reached through its name.
  void CheckPublicThreadLocal(const Symbol& symbol, const std::string& quoted) {
    if (symbol.type != STT_TLS) {
      Find("public symbol " + quoted +
           " is not thread-local; define it as thread_local or name it with "
           "ALCOVE_PUBLIC_NAME");
    } else if (symbol.size != sizeof(uint64_t)) {
      Find("public symbol " + quoted + " has " + std::to_string(symbol.size) +
           " bytes; make it a pointer");
    } else if (symbol.visibility != STV_PROTECTED) {
      Find("public symbol " + quoted +
           " is thread-local and not protected, so that inlined code could "
           "read another's instance of the same prefix, or none; make it "
           "protected");
    }
  }

  void CheckUndefined() {
    for (const Symbol& symbol : object_.symbols()) {
      if (symbol.bind == STB_LOCAL || !symbol.IsUndefined()) continue;
      if (policy_.externals.count(symbol.name) != 0) continue;
      Find("undefined symbol '" + symbol.name +
           "' is not on the allow-list; do without it, or name it in "
           "`externals` of the knob "
           "that needs it");
    }
  }

  // Names by which a linker merges the copies of two instances, local symbols
  // or not.
  void CheckMergedByName() {
    for (const std::string& signature : object_.comdat_groups()) {
      Find("symbol '" + signature +
           "' is in a COMDAT group, which merges by name; link with "
           "--force-group-allocation");
    }
    for (const Section& section : object_.sections()) {
      if (section.name.rfind(".gnu.linkonce.", 0) == 0) {
        Find("section '" + section.name +
             "' merges by name; give what it holds internal linkage");
      }
    }
  }

  static bool RunsAtLoadOrExit(const Section& section) {
    switch (section.header.sh_type) {
      case SHT_INIT_ARRAY:
      case SHT_FINI_ARRAY:
      case SHT_PREINIT_ARRAY:
        return true;
    }
    for (const char* name : {".init", ".fini", ".ctors", ".dtors",
                             ".init_array", ".fini_array", ".preinit_array"}) {
      if (section.name == name ||
          section.name.rfind(std::string(name) + ".", 0) == 0) {
        return true;
      }
    }
    return false;
  }

  void CheckLoadTime() {
    const std::vector<Section>& sections = object_.sections();
    for (size_t i = 0; i < sections.size(); ++i) {
      if (sections[i].header.sh_size == 0 || !RunsAtLoadOrExit(sections[i])) {
        continue;
      }
      const std::vector<std::string> targets = object_.TargetsOf(i);
      for (const std::string& target : targets) {
        Find("symbol '" + target + "' runs at load or exit, from section " +
             sections[i].name +
             "; make the variable constinit, or initialize it on first use");
      }
      if (targets.empty()) {
        Find("section " + sections[i].name +
             " runs at load or exit; nothing may");
      }
    }
    for (const Symbol& symbol : object_.symbols()) {
      if (symbol.type != STT_GNU_IFUNC) continue;
      Find("symbol '" + symbol.name +
           "' is an IFUNC, whose resolver runs at load; choose on first use");
    }
  }

  void CheckStaticTls() {
    const uint64_t bytes = Count(object_).static_tls_bytes;
    if (bytes <= policy_.static_tls_bytes) return;
    std::string names;
    for (const Symbol& symbol : object_.symbols()) {
      if (symbol.type != STT_TLS || symbol.IsUndefined()) continue;
      names += (names.empty() ? "'" : ", '") + symbol.name + "'";
    }
    Find("static TLS takes " + std::to_string(bytes) +
         " bytes, the budget is " + std::to_string(policy_.static_tls_bytes) +
         " (static_tls_bytes); thread-local are " +
         (names.empty() ? "variables without a name" : names));
  }

  // One such object makes the stack of the whole program executable.
  void CheckStack() {
    for (const Section& section : object_.sections()) {
      if (section.name != ".note.GNU-stack") continue;
      if ((section.header.sh_flags & SHF_EXECINSTR) == 0) return;
    }
    Find(
        "it asks for an executable stack; end assembler code with "
        ".section .note.GNU-stack,\"\",@progbits");
  }

  // The notes of a program are read by its loader, by debuggers and by whoever
  // looks for instances: ours is one of them, and .note.gnu.property is the
  // assembler's.
  void CheckNotes() {
    for (const Section& section : object_.sections()) {
      if (section.header.sh_type != SHT_NOTE ||
          (section.header.sh_flags & SHF_ALLOC) == 0 ||
          section.name == ".note.alcove" ||
          section.name == ".note.gnu.property") {
        continue;
      }
      Find("section '" + section.name +
           "' is a note of the program it is linked into; leave those alone "
           "but for .note.alcove");
    }
  }

  const ElfObject& object_;
  const Policy& policy_;
  std::set<std::string> public_;
  std::set<std::string> public_thread_locals_;
  std::vector<std::string> findings_;
};

// Sizes come from the file and may be anything: they stop at the top instead of
// wrapping.
uint64_t Add(uint64_t a, uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  if (alignment <= 1 || value % alignment == 0) return value;
  return Add(value, alignment - value % alignment);
}

}  // namespace

bool ParsePublicNames(std::string_view text, Policy* policy,
                      std::string* error) {
  const std::pair<std::string_view, std::vector<std::string>*> kinds[] = {
      {"ALCOVE_PUBLIC_NAME(", &policy->names},
      {"ALCOVE_PUBLIC_THREAD_LOCAL(", &policy->thread_locals},
  };
  policy->names.clear();
  policy->thread_locals.clear();
  for (int line_number = 1; !text.empty(); ++line_number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find("//"));
    while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
    if (line.empty()) continue;
    bool good = false;
    for (const auto& [open, names] : kinds) {
      if (line.substr(0, open.size()) == open &&
          line.size() >= open.size() + 2 && line.back() == ')') {
        names->emplace_back(
            line.substr(open.size(), line.size() - open.size() - 1));
        good = true;
      }
    }
    if (!good) {
      *error = "line " + std::to_string(line_number) +
               " is not ALCOVE_PUBLIC_NAME(name) or "
               "ALCOVE_PUBLIC_THREAD_LOCAL(name)";
      return false;
    }
  }
  if (policy->names.empty()) {
    *error = "it names nothing";
    return false;
  }
  return true;
}

std::vector<std::string> Audit(const ElfObject& object, const Policy& policy) {
  return Auditor(object, policy).Run();
}

Counts Count(const ElfObject& object) {
  Counts counts;
  uint64_t tls_alignment = 1;
  for (const Section& section : object.sections()) {
    const Elf64_Shdr& header = section.header;
    if ((header.sh_flags & SHF_ALLOC) == 0) continue;
    if (header.sh_flags & SHF_TLS) {
      counts.tls_bytes =
          Add(AlignUp(counts.tls_bytes, header.sh_addralign), header.sh_size);
      if (header.sh_size > 0) {
        tls_alignment = std::max(tls_alignment, header.sh_addralign);
      }
    } else if (header.sh_flags & SHF_EXECINSTR) {
      counts.text_bytes = Add(counts.text_bytes, header.sh_size);
    } else if ((header.sh_flags & SHF_WRITE) == 0) {
      counts.constant_bytes = Add(counts.constant_bytes, header.sh_size);
    } else if (header.sh_type == SHT_NOBITS) {
      counts.zeroed_bytes = Add(counts.zeroed_bytes, header.sh_size);
    } else {
      counts.data_bytes = Add(counts.data_bytes, header.sh_size);
    }
  }
  counts.tls_bytes = AlignUp(counts.tls_bytes, tls_alignment);
  if (!object.FindsTlsByCalls()) counts.static_tls_bytes = counts.tls_bytes;

  for (const Symbol& symbol : object.symbols()) {
    if (symbol.bind == STB_LOCAL) continue;
    (symbol.IsUndefined() ? counts.undefined : counts.defined)
        .push_back(symbol.name);
  }
  std::sort(counts.defined.begin(), counts.defined.end());
  std::sort(counts.undefined.begin(), counts.undefined.end());
  return counts;
}

std::string WithHiddenSymbols(std::string_view bytes, const ElfObject& object) {
  std::string hidden(bytes);
  for (size_t i = 0; i < object.symbols().size(); ++i) {
    const Symbol& symbol = object.symbols()[i];
    if (symbol.bind == STB_LOCAL || symbol.IsUndefined()) continue;
    const size_t at = object.symbols_offset() + i * sizeof(Elf64_Sym) +
                      offsetof(Elf64_Sym, st_other);
    hidden[at] = static_cast<char>((hidden[at] & ~3) | STV_HIDDEN);
  }
  return hidden;
}

std::string ReportText(const Counts& counts, const Policy& policy) {
  std::string text;
  const auto line = [&text](std::string_view key, const std::string& value) {
    text.append(key).append(": ").append(value).append("\n");
  };
  line("instance", policy.instance);
  line("prefix", policy.prefix);
  line("defined_externals", std::to_string(counts.defined.size()));
  line("undefined_externals", std::to_string(counts.undefined.size()));
  line("tls_bytes", std::to_string(counts.tls_bytes));
  line("static_tls_bytes", std::to_string(counts.static_tls_bytes));
  line("text_bytes", std::to_string(counts.text_bytes));
  line("constant_bytes", std::to_string(counts.constant_bytes));
  line("data_bytes", std::to_string(counts.data_bytes));
  line("zeroed_bytes", std::to_string(counts.zeroed_bytes));
  for (const std::string& name : counts.defined) line("defines", name);
  for (const std::string& name : counts.undefined) line("needs", name);
  return text;
}

}  // namespace alcove::audit
