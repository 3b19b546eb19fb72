// Makes a trace of what the recorder wrote.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "bench/trace/encode.h"
#include "bench/trace/raw_event.h"
#include "bench/trace/trace.h"

ABSL_FLAG(uint64_t, bytes, 390000, "stop before the trace is longer than this");
ABSL_FLAG(std::string, output, "", "the trace to write");

namespace bench {
namespace {

constexpr uint32_t kBlocksMax = 1u << 24;
// The longest operation with a change of thread, and what a file has beside
// them, generously.
constexpr size_t kMargin = 64;

class Packer {
 public:
  // False when the trace is as long as it may get.
  bool Add(const RawEvent& event) {
    if (encoder_.bytes() + kMargin > absl::GetFlag(FLAGS_bytes) ||
        encoder_.full()) {
      return false;
    }
    ++events_;
    switch (event.kind) {
      case RawKind::kFree:
        if (const auto block = Take(event.address)) {
          encoder_.Free(Thread(event), *block);
        }
        break;
      case RawKind::kReallocBegin:
        reallocs_[event.thread] = {event.address, Take(event.address)};
        break;
      case RawKind::kReallocEnd:
        EndRealloc(event);
        break;
      default:
        Make(event);
    }
    return true;
  }

  std::string Finish() const { return encoder_.Finish(); }

  std::string Summary() const {
    return absl::StrCat(events_, " events, ", encoder_.operations(),
                        " operations, ", threads_.size(), " threads, ",
                        unknown_, " blocks from before the recording, ", lost_,
                        " frees not seen");
  }

 private:
  struct Realloc {
    uint64_t address = 0;
    std::optional<uint32_t> block;
  };

  unsigned Thread(const RawEvent& event) {
    return threads_.try_emplace(event.thread, threads_.size()).first->second %
           Trace::kThreadsMax;
  }

  std::optional<uint32_t> Take(uint64_t address) {
    const auto found = live_.find(address);
    if (found == live_.end()) {
      ++unknown_;
      return std::nullopt;
    }
    const uint32_t block = found->second;
    live_.erase(found);
    return block;
  }

  void Put(const RawEvent& event, uint32_t block) {
    const auto [place, is_new] = live_.try_emplace(event.address, block);
    if (is_new) return;
    // Somebody freed it without asking us.
    ++lost_;
    encoder_.Free(Thread(event), place->second);
    place->second = block;
  }

  void Make(const RawEvent& event) {
    const unsigned thread = Thread(event);
    switch (event.kind) {
      case RawKind::kMalloc:
        return Put(event, encoder_.Malloc(thread, event.size));
      case RawKind::kCalloc:
        return Put(event, encoder_.Calloc(thread, event.size));
      default:
        return Put(event,
                   encoder_.Aligned(thread, event.alignment, event.size));
    }
  }

  void EndRealloc(const RawEvent& event) {
    const Realloc begun = reallocs_[event.thread];
    if (event.address == 0) {  // it failed, and the old block stays
      if (begun.block) live_[begun.address] = *begun.block;
      return;
    }
    const unsigned thread = Thread(event);
    Put(event, begun.block ? encoder_.Realloc(thread, *begun.block, event.size)
                           : encoder_.Malloc(thread, event.size));
  }

  Encoder encoder_{kBlocksMax};
  absl::flat_hash_map<uint64_t, uint32_t> live_;
  absl::flat_hash_map<uint32_t, unsigned> threads_;
  absl::flat_hash_map<uint32_t, Realloc> reallocs_;
  uint64_t events_ = 0;
  uint64_t unknown_ = 0;
  uint64_t lost_ = 0;
};

int Pack(const std::string& input) {
  std::ifstream file(input, std::ios::binary);
  if (!file) {
    std::cerr << "pack: cannot read " << input << "\n";
    return 1;
  }
  Packer packer;
  RawEvent event;
  while (file.read(reinterpret_cast<char*>(&event), sizeof(event)) &&
         event.kind != RawKind::kNone) {
    if (event.size > Trace::kSizeMax ||
        event.alignment > Trace::kAlignmentLogMax ||
        event.kind > RawKind::kReallocEnd) {
      std::cerr << "pack: " << input << " is no recording\n";
      return 1;
    }
    if (!packer.Add(event)) break;
  }
  const std::string output = absl::GetFlag(FLAGS_output);
  const std::string trace = packer.Finish();
  std::ofstream out(output, std::ios::binary);
  out.write(trace.data(), static_cast<std::streamsize>(trace.size()));
  out.close();
  if (!out) {
    std::cerr << "pack: cannot write " << output << "\n";
    return 1;
  }
  std::cout << output << ": " << trace.size() << " bytes, " << packer.Summary()
            << "\n";
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "pack --output=NAME.trace RECORDING.raw makes a trace of a recording");
  const std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  if (arguments.size() != 2 || absl::GetFlag(FLAGS_output).empty()) {
    std::cerr << "usage: pack [--bytes=N] --output=NAME.trace RECORDING.raw\n";
    return 64;
  }
  return bench::Pack(arguments[1]);
}
