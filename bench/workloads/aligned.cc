// Blocks aligned to more than malloc gives: vectors for SIMD (32 and 64), cache
// lines that threads must not share (64 and 128), buffers for direct I/O
// (4096). Some allocators pay for it with a header and slack, others with a
// whole page; rpmalloc-benchmark has an aligned mode for the same reason. Not
// 256 and 512: mimalloc 2.0.9, which Debian 12 has, gives blocks there that are
// not aligned (microsoft/mimalloc#700), and would have no figure.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kLive = 4000;
constexpr uint16_t kAlignments[] = {32, 64, 64, 64, 128, 128, 4096, 4096};

void Aligned(Run& run, const Workload&) {
  const Sizes sizes(32, 8192, Spread::kManySmall);
  Table<void*> blocks(kLive);
  Random random(6);
  const size_t replacements = run.Times(4000000);

  run.Start();
  for (size_t i = 0; i < replacements; ++i) {
    void*& block = blocks[random.Below(kLive)];
    std::free(block);
    const size_t alignment = kAlignments[random.Below(std::size(kAlignments))];
    // A multiple of the alignment, which older C asks for.
    const size_t size = (sizes(i) + alignment - 1) / alignment * alignment;
    block = std::aligned_alloc(alignment, size);
    if (block == nullptr) Fail("aligned_alloc gave null");
    if (reinterpret_cast<uintptr_t>(block) % alignment != 0) {
      Fail("aligned_alloc gave a block that is not aligned");
    }
    *static_cast<volatile char*>(block) = 1;
  }
  run.Stop(replacements);
  for (void* block : blocks) std::free(block);
}

constexpr Workload kRows[] = {
    {"aligned", "4000 live blocks aligned to 32 to 4096, random replaced",
     Aligned},
};

}  // namespace

std::span<const Workload> AlignedRows() { return kRows; }

}  // namespace bench
