// What glibc's malloc says about itself, from the instance's own counts.
//
// An instance knows no chunks and never uses brk. What it holds is the spans
// that are handed out and the unused memory that has not gone back to the
// system yet; of this, what the program has is in use and all else is free.
#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdio>

#include "instances/malloc/bridge.h"

namespace {

// The counts are taken one by one while other threads go on, so that one that
// is a part of another may come out as more than it.
size_t Less(size_t whole, size_t part) {
  return whole > part ? whole - part : 0;
}

struct Sums {
  alcove_malloc_figures read = alcove_malloc_read_figures();
  size_t in_use = read.bytes_live;
  size_t held = std::max(read.bytes_spans + read.bytes_dirty, in_use);
  size_t free = held - in_use;
  size_t cached = std::min(read.bytes_cached, free);
  size_t held_peak = std::max(read.bytes_spans_peak, held);
};

int Narrow(size_t value) {
  return static_cast<int>(std::min(value, size_t{INT_MAX}));
}

}  // namespace

// Of the fields that mean nothing here, all are 0: pieces that are free (we
// count bytes), and what was mapped in one piece each (all is mapped alike).
extern "C" struct mallinfo2 mallinfo2() noexcept {
  const Sums sums;
  struct mallinfo2 info = {};
  info.arena = sums.held;
  info.usmblks = sums.held_peak;
  info.fsmblks = sums.cached;
  info.uordblks = sums.in_use;
  info.fordblks = sums.free;
  info.keepcost = std::min(sums.read.bytes_dirty, sums.free);
  return info;
}

// glibc lets what does not fit into an int wrap around; here it stays at the
// largest one.
extern "C" struct mallinfo mallinfo() noexcept {
  const struct mallinfo2 wide = mallinfo2();
  struct mallinfo info = {};
  info.arena = Narrow(wide.arena);
  info.usmblks = Narrow(wide.usmblks);
  info.fsmblks = Narrow(wide.fsmblks);
  info.uordblks = Narrow(wide.uordblks);
  info.fordblks = Narrow(wide.fordblks);
  info.keepcost = Narrow(wide.keepcost);
  return info;
}

// glibc's elements, as far as there is something to put into them, in one heap;
// and one of our own.
extern "C" int malloc_info(int options, FILE* stream) noexcept {
  if (options != 0) return EINVAL;
  const Sums sums;
  const int written = fprintf(
      stream,
      "<malloc version=\"1\">\n"
      "<heap nr=\"0\">\n"
      "<total type=\"fast\" size=\"%zu\"/>\n"
      "<total type=\"rest\" size=\"%zu\"/>\n"
      "<system type=\"current\" size=\"%zu\"/>\n"
      "<system type=\"max\" size=\"%zu\"/>\n"
      "<aspace type=\"total\" size=\"%zu\"/>\n"
      "<aspace type=\"mprotect\" size=\"%zu\"/>\n"
      "<alcove prefix=\"%s\" version=\"%s\" threads=\"%zu\" blocks=\"%zu\" "
      "bytes=\"%zu\" metadata=\"%zu\"/>\n"
      "</heap>\n"
      "<total type=\"fast\" size=\"%zu\"/>\n"
      "<total type=\"rest\" size=\"%zu\"/>\n"
      "<total type=\"mmap\" count=\"0\" size=\"0\"/>\n"
      "<system type=\"current\" size=\"%zu\"/>\n"
      "<system type=\"max\" size=\"%zu\"/>\n"
      "<aspace type=\"total\" size=\"%zu\"/>\n"
      "<aspace type=\"mprotect\" size=\"%zu\"/>\n"
      "</malloc>\n",
      sums.cached, Less(sums.free, sums.cached), sums.held, sums.held_peak,
      sums.read.bytes_reserved, sums.read.bytes_committed, sums.read.prefix,
      sums.read.version, sums.read.threads, sums.read.blocks_live, sums.in_use,
      sums.read.bytes_metadata, sums.cached, Less(sums.free, sums.cached),
      sums.held, sums.held_peak, sums.read.bytes_reserved,
      sums.read.bytes_committed);
  return written < 0 ? errno : 0;
}

// On standard error, as glibc's. The first line names the instance; "system
// bytes" and "in use bytes" are what programs look for.
extern "C" void malloc_stats() noexcept {
  const Sums sums;
  fprintf(stderr,
          "alcove[%s] %s:\n"
          "system bytes     = %10zu\n"
          "in use bytes     = %10zu\n"
          "in use blocks    = %10zu\n"
          "cached bytes     = %10zu\n"
          "unused bytes     = %10zu\n"
          "max system bytes = %10zu\n"
          "threads          = %10zu\n",
          sums.read.prefix, sums.read.version, sums.held, sums.in_use,
          sums.read.blocks_live, sums.cached, sums.read.bytes_dirty,
          sums.held_peak, sums.read.threads);
}

extern "C" struct mallinfo __libc_mallinfo() noexcept
    __attribute__((alias("mallinfo")));
