// The audit as a build action: copies the object to --output if the instance is
// alone, else says why not and fails, so that there is nothing to link.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "instances/audit/audit.h"
#include "instances/audit/elf_object.h"

namespace alcove::audit {
namespace {

[[noreturn]] void Die(const std::string& sentence) {
  std::fprintf(stderr, "alcove audit: %s\n", sentence.c_str());
  std::exit(1);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string contents{std::istreambuf_iterator<char>(file),
                       std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) Die("cannot read " + path);
  return contents;
}

void WriteFile(const std::string& path, const std::string& contents) {
  std::ofstream file(path, std::ios::binary);
  file << contents;
  if (!file.flush()) Die("cannot write " + path);
}

struct Flags {
  std::map<std::string, std::string> values;
  std::vector<std::string> allow;
  std::vector<std::string> lacks;
};

Flags ParseFlags(int argc, char** argv) {
  Flags flags;
  for (const char* name :
       {"--instance", "--prefix", "--public_names", "--object", "--output",
        "--report", "--static_tls_bytes"}) {
    flags.values[name] = "";
  }
  flags.values["--hide"] = "false";
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) Die(name + " lacks its value");
    if (name == "--allow") {
      flags.allow.emplace_back(argv[i + 1]);
    } else if (name == "--lacks") {
      flags.lacks.emplace_back(argv[i + 1]);
    } else if (flags.values.count(name) != 0) {
      flags.values[name] = argv[i + 1];
    } else {
      Die("unknown flag " + name);
    }
  }
  for (const auto& [name, value] : flags.values) {
    if (value.empty()) Die(name + " is missing");
  }
  return flags;
}

int Main(int argc, char** argv) {
  Flags flags = ParseFlags(argc, argv);
  Policy policy;
  policy.instance = flags.values["--instance"];
  policy.prefix = flags.values["--prefix"];
  policy.externals.insert(flags.allow.begin(), flags.allow.end());
  policy.lacks.insert(flags.lacks.begin(), flags.lacks.end());
  const bool hide = flags.values["--hide"] == "true";
  if (!hide && flags.values["--hide"] != "false") {
    Die("--hide is neither true nor false");
  }
  char* end = nullptr;
  policy.static_tls_bytes =
      std::strtoull(flags.values["--static_tls_bytes"].c_str(), &end, 10);
  if (*end != '\0') Die("--static_tls_bytes is not a number");

  std::string error;
  const std::string names_path = flags.values["--public_names"];
  if (!ParsePublicNames(ReadFile(names_path), &policy, &error)) {
    Die("cannot use " + names_path + ": " + error);
  }
  const std::string object_path = flags.values["--object"];
  const std::string bytes = ReadFile(object_path);
  ElfObject object;
  if (!ElfObject::Read(bytes, &object, &error)) {
    Die("cannot read " + object_path + ": " + error);
  }

  const std::vector<std::string> findings = Audit(object, policy);
  for (const std::string& finding : findings) {
    std::fprintf(stderr, "%s\n", finding.c_str());
  }
  if (!findings.empty()) return 1;
  WriteFile(flags.values["--report"], ReportText(Count(object), policy));
  WriteFile(flags.values["--output"],
            hide ? WithHiddenSymbols(bytes, object) : bytes);
  return 0;
}

}  // namespace
}  // namespace alcove::audit

int main(int argc, char** argv) { return alcove::audit::Main(argc, argv); }
