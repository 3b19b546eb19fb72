#include "leaks/leaks.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "absl/debugging/symbolize.h"

namespace alcove {

namespace {

using Sites = std::map<std::vector<void*>, LeakSite>;

void Add(void*, std::size_t size, void* const* frames, std::size_t frame_count,
         void* context) {
  auto& sites = *static_cast<Sites*>(context);
  LeakSite& site = sites[std::vector<void*>(frames, frames + frame_count)];
  ++site.blocks;
  site.bytes += size;
}

std::string Describe(void* return_address) {
  char name[1024];
  // The call is before where it returns to, which may be another function.
  const void* const call = static_cast<const char*>(return_address) - 1;
  const bool known = absl::Symbolize(call, name, sizeof(name));
  char line[1100];
  std::snprintf(line, sizeof(line), "    %p %s\n", return_address,
                known ? name : "(unknown)");
  return line;
}

}  // namespace

std::vector<LeakSite> FindLeaks(VisitBlocks visit_blocks) {
  Sites by_frames;
  visit_blocks(Add, &by_frames);
  std::vector<LeakSite> sites;
  for (auto& [frames, site] : by_frames) {
    site.frames = frames;
    sites.push_back(std::move(site));
  }
  std::stable_sort(
      sites.begin(), sites.end(),
      [](const LeakSite& a, const LeakSite& b) { return a.bytes > b.bytes; });
  return sites;
}

std::string DescribeLeaks(VisitBlocks visit_blocks) {
  std::string text;
  for (const LeakSite& site : FindLeaks(visit_blocks)) {
    text += std::to_string(site.bytes) + " bytes in " +
            std::to_string(site.blocks) +
            (site.frames.empty() ? " blocks" : " blocks allocated at\n");
    if (site.frames.empty()) text += '\n';
    for (void* const frame : site.frames) text += Describe(frame);
  }
  return text;
}

}  // namespace alcove
