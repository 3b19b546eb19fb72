#include "bench/runner/machine.h"

#include <sched.h>
#include <sys/utsname.h>
#include <time.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/runner/child.h"
#include "bench/runner/text.h"

namespace bench {

namespace {

constexpr double kGitTimeoutSeconds = 30;

// What follows `key` and the separator on the first line that begins with it.
std::string FileValue(const char* path, const std::string& key,
                      char separator) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (!BeginsWith(line, key)) continue;
    const size_t at = line.find(separator);
    if (at == line.npos) continue;
    return Trimmed(line.substr(at + 1));
  }
  return "";
}

ChildResult Git(const std::string& workspace,
                const std::vector<std::string>& arguments) {
  // The owner of a checkout in a container is often another user.
  std::vector<std::string> command = {"/usr/bin/env",     "git", "-c",
                                      "safe.directory=*", "-C",  workspace};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunChild(command, "", kGitTimeoutSeconds);
}

}  // namespace

Machine DescribeMachine() {
  Machine machine;
  machine.cpu = FileValue("/proc/cpuinfo", "model name", ':');
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    machine.cores = CPU_COUNT(&set);
  }
  const double kib =
      std::atof(FileValue("/proc/meminfo", "MemTotal", ':').c_str());
  machine.memory = absl::StrFormat("%.1f GiB", kib / (1 << 20));
  utsname name;
  if (uname(&name) == 0) {
    machine.kernel = absl::StrCat(name.sysname, " ", name.release);
  }
  const std::string system = FileValue("/etc/os-release", "PRETTY_NAME", '=');
  for (const char c : system) {
    if (c != '"') machine.system += c;
  }
  std::ifstream huge_pages("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string choices;
  std::getline(huge_pages, choices);
  const size_t open = choices.find('[');
  const size_t close = choices.find(']');
  machine.huge_pages = open == choices.npos || close < open
                           ? "unknown"
                           : choices.substr(open + 1, close - open - 1);
  double load[1] = {0};
  if (getloadavg(load, 1) == 1) machine.load = load[0];
  return machine;
}

std::string DescribeCommit(const std::string& workspace) {
  const ChildResult commit = Git(workspace, {"log", "-1", "--format=%h, %cs"});
  if (commit.exit_code != 0) return "unknown: not a git checkout";
  const std::string text = Trimmed(commit.standard_output);
  const ChildResult status = Git(workspace, {"status", "--porcelain"});
  for (const std::string& line : SplitText(status.standard_output, '\n')) {
    // "XY path"
    const std::string path = line.substr(line.size() < 3 ? 0 : 3);
    if (BeginsWith(path, "bench/RESULTS.md") ||
        BeginsWith(path, "bench/results.") ||
        BeginsWith(path, "bench/arena_bench/RESULTS.md")) {
      continue;
    }
    return absl::StrCat(text, ", and changes that are not committed");
  }
  return text;
}

std::string Today() {
  const time_t now = time(nullptr);
  tm parts;
  localtime_r(&now, &parts);
  char text[32];
  strftime(text, sizeof(text), "%Y-%m-%d", &parts);
  return text;
}

}  // namespace bench
