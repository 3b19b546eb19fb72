#include "examples/versions/address_space.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "registry/registry.h"

namespace versions {

namespace {

struct Mapping {
  uintptr_t begin;
  uintptr_t end;
  bool accessible;
  std::string name;  // a file's, "[stack]", or empty
};

// An address range of an instance, and where the instance describes it.
struct Range {
  uintptr_t begin;
  uintptr_t end;
  uintptr_t object;
  std::string owner;
  std::string prefix;
};

std::string BaseName(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

std::vector<Mapping> ReadMappings() {
  std::ifstream file("/proc/self/maps");
  std::vector<Mapping> mappings;
  // "7f1c2a000000-7f1c2a021000 rw-p 00000000 00:00 0    <name>"
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    Mapping mapping;
    char dash;
    std::string access, offset, device, inode;
    fields >> std::hex >> mapping.begin >> dash >> mapping.end >> access >>
        offset >> device >> inode;
    std::getline(fields >> std::ws, mapping.name);
    mapping.accessible = access[0] == 'r' || access[1] == 'w';
    if (!fields && !fields.eof()) break;
    // The kernel's own page, not in the process's half.
    if (mapping.name != "[vsyscall]") mappings.push_back(std::move(mapping));
  }
  if (mappings.empty()) throw std::runtime_error("cannot read /proc/self/maps");
  return mappings;
}

// Straight from the descriptors, which nobody changes meanwhile; see
// registry/descriptor.h.
std::vector<Range> ListRanges() {
  const long count = alcove_registry_list(nullptr, 0);
  if (count < 0) throw std::runtime_error("the registry is not to be asked");
  std::vector<alcove_instance_entry> entries(count);
  alcove_registry_list(entries.data(), entries.size());
  std::vector<Range> ranges;
  for (const alcove_instance_entry& entry : entries) {
    const alcove_instance_descriptor& stated = entry.stated;
    for (uint32_t i = 0; i < stated.ranges_max && stated.ranges[i] != nullptr;
         ++i) {
      const char* const object = static_cast<const char*>(stated.ranges[i]);
      Range range = {};
      uint64_t units;
      std::memcpy(&range.begin, object + stated.range_base,
                  sizeof(range.begin));
      std::memcpy(&units, object + stated.range_units, sizeof(units));
      range.end = range.begin + (units << stated.unit_shift);
      range.object = reinterpret_cast<uintptr_t>(object);
      range.owner = absl::StrCat(entry.prefix, " ", entry.version, " in ",
                                 BaseName(entry.file));
      range.prefix = entry.prefix;
      ranges.push_back(std::move(range));
    }
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  return ranges;
}

// The object whose malloc this process calls.
std::string MallocsFile() {
  Dl_info info;
  void* const malloc = dlsym(RTLD_DEFAULT, "malloc");
  if (malloc == nullptr || dladdr(malloc, &info) == 0) return "?";
  return BaseName(info.dli_fname);
}

uint64_t BytesInMemory(uintptr_t begin, uintptr_t end) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  uint64_t pages = 0;
  // Not all at once: there may be gigabytes.
  std::vector<unsigned char> resident(16384);
  for (uintptr_t at = begin; at < end; at += resident.size() * page) {
    const uintptr_t size = std::min(end - at, resident.size() * page);
    if (mincore(reinterpret_cast<void*>(at), size, resident.data()) != 0)
      return pages * page;
    pages += std::count_if(resident.begin(),
                           resident.begin() + (size + page - 1) / page,
                           [](unsigned char byte) { return (byte & 1) != 0; });
  }
  return pages * page;
}

class Look {
 public:
  explicit Look(const std::vector<const void*>& mallocs) : mallocs_(mallocs) {
    std::sort(mallocs_.begin(), mallocs_.end());
  }

  std::vector<Piece> Take() {
    const std::string program = ReadProgram();
    for (const Mapping& mapping : ReadMappings()) {
      // A mapping may reach from what is an instance's into what is not: the
      // system joins neighbours.
      uintptr_t at = mapping.begin;
      for (const Range& range : ranges_) {
        if (range.end <= at || range.begin >= mapping.end) continue;
        if (at < range.begin) Add(mapping, at, range.begin, program);
        const uintptr_t end = std::min(mapping.end, range.end);
        Add(range.owner, mapping, std::max(at, range.begin), end);
        at = end;
      }
      if (at < mapping.end) Add(mapping, at, mapping.end, program);
    }
    return std::move(pieces_);
  }

 private:
  static std::string ReadProgram() {
    char path[4096];
    const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
    return size < 0 ? "" : std::string(path, size);
  }

  // What is in no instance's range.
  void Add(const Mapping& mapping, uintptr_t begin, uintptr_t end,
           const std::string& program) {
    const std::string describes = OwnersOfObjects(begin, end);
    if (!describes.empty()) return Add(describes, mapping, begin, end);
    const auto block = std::lower_bound(mallocs_.begin(), mallocs_.end(),
                                        reinterpret_cast<const void*>(begin));
    if (block != mallocs_.end() &&
        *block < reinterpret_cast<const void*>(end)) {
      return Add(absl::StrCat("malloc of ", malloc_), mapping, begin, end);
    }
    if (mapping.name == program)
      return Add(absl::StrCat("the program, ", BaseName(program)), mapping,
                 begin, end);
    Add(absl::StartsWith(mapping.name, "[stack") ? "the stack"
                                                 : "libraries and others",
        mapping, begin, end);
  }

  // Whose ranges are described there: several instances' where the system has
  // joined what they keep. Nobody says where one ends and the next begins.
  std::string OwnersOfObjects(uintptr_t begin, uintptr_t end) const {
    std::set<std::string> prefixes;
    for (const Range& range : ranges_) {
      if (range.object >= begin && range.object < end)
        prefixes.insert(range.prefix);
    }
    if (prefixes.empty()) return "";
    if (prefixes.size() == 1)
      return absl::StrCat(*prefixes.begin(), "'s own data");
    return absl::StrCat("data of ", absl::StrJoin(prefixes, ", "));
  }

  void Add(const std::string& owner, const Mapping& mapping, uintptr_t begin,
           uintptr_t end) {
    if (pieces_.empty() || pieces_.back().owner != owner ||
        begin - pieces_.back().end >= kLargeGap) {
      pieces_.emplace_back();
      pieces_.back().owner = owner;
      pieces_.back().begin = begin;
    }
    Piece& piece = pieces_.back();
    piece.end = end;
    piece.mapped += end - begin;
    if (!mapping.accessible) return;
    piece.accessible += end - begin;
    piece.in_memory += BytesInMemory(begin, end);
  }

  std::vector<const void*> mallocs_;
  const std::vector<Range> ranges_ = ListRanges();
  const std::string malloc_ = MallocsFile();
  std::vector<Piece> pieces_;
};

}  // namespace

std::vector<Piece> LookAtAddressSpace(const std::vector<const void*>& mallocs) {
  return Look(mallocs).Take();
}

}  // namespace versions
