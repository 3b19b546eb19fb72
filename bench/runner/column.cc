#include "bench/runner/column.h"

#include <gnu/libc-version.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bench/runner/child.h"
#include "bench/runner/runfiles.h"
#include "bench/runner/text.h"

namespace bench {

namespace {

namespace fs = std::filesystem;

constexpr double kTimeoutSeconds = 30;

struct Preset {
  const char* name;
  const char* library;
};

constexpr Preset kPresets[] = {
    {"alcove", "bench/preload/libalcove_default.so"},
    {"alcove-hosted", "tools/preload/libalcove.so"},
};

struct Peer {
  std::string name;
  // Newer releases first.
  std::vector<std::string> sonames;
  std::vector<std::string> packages;
};

// Debian 12's names first, then those of later releases.
const std::vector<Peer>& Peers() {
  static const auto* peers = new std::vector<Peer>{
      {"jemalloc", {"libjemalloc.so.2"}, {"libjemalloc2"}},
      {"mimalloc",
       {"libmimalloc.so.3", "libmimalloc.so.2.0", "libmimalloc.so.2"},
       {"libmimalloc2.0", "libmimalloc3"}},
      {"tcmalloc",
       {"libtcmalloc_minimal.so.4"},
       {"libtcmalloc-minimal4", "libtcmalloc-minimal4t64"}},
      {"tbbmalloc", {"libtbbmalloc_proxy.so.2"}, {"libtbbmalloc2"}},
  };
  return *peers;
}

std::string Output(const std::vector<std::string>& command) {
  const ChildResult result = RunChild(command, "", kTimeoutSeconds);
  return result.exit_code == 0 ? result.standard_output : "";
}

std::string PackageVersion(const std::vector<std::string>& packages) {
  for (const std::string& package : packages) {
    const std::string version = Output(
        {"/usr/bin/dpkg-query", "--show", "--showformat=${Version}", package});
    if (!version.empty()) return absl::StrCat(package, " ", version);
  }
  return "version unknown";
}

std::string Names(const std::vector<Column>& columns) {
  return absl::StrJoin(columns, ", ",
                       [](std::string* out, const Column& column) {
                         absl::StrAppend(out, column.name);
                       });
}

Column ColumnOf(const Peer& peer) {
  Column column;
  column.name = peer.name;
  column.package = peer.packages[0];
  column.library = FindLibrary(peer.sonames);
  if (column.library.empty()) {
    column.absent = "not installed";
  } else {
    column.version = PackageVersion(peer.packages);
  }
  return column;
}

}  // namespace

std::string FindLibrary(const std::vector<std::string>& sonames) {
  // What ldconfig knows; a line is "\tname (kind) => path".
  const std::string cache = Output({"/sbin/ldconfig", "-p"});
  for (const std::string& soname : sonames) {
    for (const std::string& line : SplitText(cache, '\n')) {
      const size_t arrow = line.find(" => ");
      if (arrow == line.npos || line.find("x86-64") == line.npos) continue;
      if (BeginsWith(Trimmed(line), absl::StrCat(soname, " "))) {
        return line.substr(arrow + 4);
      }
    }
    for (const char* folder : {"/usr/local/lib", "/usr/lib/x86_64-linux-gnu",
                               "/usr/lib64", "/usr/lib"}) {
      const fs::path path = fs::path(folder) / soname;
      std::error_code error;
      if (fs::exists(path, error)) return path.string();
    }
  }
  return "";
}

std::vector<Column> KnownColumns() {
  std::vector<Column> columns;
  for (const Preset& preset : kPresets) {
    Column column;
    column.name = preset.name;
    column.ours = true;
    column.version = ALCOVE_BENCH_VERSION;
    column.library = RunfilePath(preset.library);
    if (column.library.empty()) column.absent = "not built";
    columns.push_back(column);
  }
  Column glibc;
  glibc.name = "glibc";
  glibc.package = "libc6";
  glibc.version = PackageVersion({glibc.package});
  if (glibc.version.find(' ') == std::string::npos) {
    glibc.version = gnu_get_libc_version();
  }
  columns.push_back(glibc);
  for (const Peer& peer : Peers()) columns.push_back(ColumnOf(peer));
  return columns;
}

std::vector<Column> ChooseColumns(std::vector<Column> known,
                                  const std::vector<std::string>& peers,
                                  const std::vector<std::string>& extra,
                                  const std::vector<std::string>& aside,
                                  std::string* error) {
  std::vector<Column> columns;
  const auto find = [](std::vector<Column>& in, const std::string& name) {
    return std::find_if(in.begin(), in.end(), [&](const Column& column) {
      return column.name == name;
    });
  };
  if (peers.empty()) {
    columns = std::move(known);
  } else {
    for (const std::string& name : peers) {
      const auto column = find(known, name);
      if (column == known.end()) {
        *error =
            absl::StrCat("--peers: there is no ", name, "; known are ",
                         Names(known), "; any other by --peer name=path.so");
        return {};
      }
      if (find(columns, name) == columns.end()) columns.push_back(*column);
    }
  }
  for (const std::string& argument : extra) {
    const size_t equals = argument.find('=');
    if (equals == 0 || equals == argument.npos ||
        equals + 1 == argument.size()) {
      *error = absl::StrCat("--peer: '", argument,
                            "' is not of the form name=path.so");
      return {};
    }
    Column column;
    column.name = argument.substr(0, equals);
    if (find(columns, column.name) != columns.end()) {
      *error = absl::StrCat("--peer: there is a column ", column.name,
                            " already; choose another name");
      return {};
    }
    std::error_code failed;
    const fs::path path = UserPath(argument.substr(equals + 1));
    column.library = path.string();
    column.version = absl::StrCat("given as ", path.filename().string());
    if (!fs::exists(path, failed)) column.absent = "no such file";
    columns.push_back(column);
  }
  for (const std::string& name : aside) {
    const auto column = find(columns, name);
    if (column == columns.end()) {
      *error = absl::StrCat("--aside: there is no column ", name,
                            "; there are ", Names(columns));
      return {};
    }
    column->aside = true;
  }
  return columns;
}

}  // namespace bench
