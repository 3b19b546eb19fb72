// What a workload is, and what it may use. A workload is plain C++ over malloc
// and its family; which allocator answers is decided outside, by LD_PRELOAD.
// What the workload itself needs to remember comes from mmap (Table), so that
// it costs every allocator the same.
#ifndef BENCH_WORKLOADS_WORKLOAD_H_
#define BENCH_WORKLOADS_WORKLOAD_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace bench {

// One run of one row. The workload brackets what is to be timed with Start and
// Stop; what comes before is set-up, and what comes after is cleaning up.
class Run {
 public:
  explicit Run(bool quick) : quick_(quick) {}

  // How often to do something that the full run does n times.
  size_t Times(size_t n) const {
    return quick_ && n > kQuickShare ? n / kQuickShare : n;
  }

  void Start();
  // `operations` > 0: the row is reported per operation, else as a whole. A
  // second pair of Start and Stop adds to the first.
  void Stop(uint64_t operations = 0);

  // For rows that differ much between allocators: true until about a sixth of a
  // second has passed since Start. Look at it after some hundred microseconds
  // of work.
  bool Continue() const;

  // Sleeps for a second as an idle server does, and reports the memory that the
  // process still has then.
  void IdleAndReportLeft();

  double seconds() const { return seconds_; }
  uint64_t operations() const { return operations_; }
  // In KiB; negative if not reported.
  long left() const { return left_; }

 private:
  static constexpr size_t kQuickShare = 20;

  bool quick_;
  double started_ = 0;
  double seconds_ = 0;
  uint64_t operations_ = 0;
  long left_ = -1;
};

struct Workload {
  const char* name;
  // One sentence for the report: what a reader recognises.
  const char* what;
  void (*run)(Run& run, const Workload& row);
  // What distinguishes rows that share a function; their meaning is the
  // function's own.
  size_t size = 0;
  size_t count = 0;
  int variant = 0;
};

// One per file, listed in main.cc.
std::span<const Workload> AlignedRows();
std::span<const Workload> BatchRows();
std::span<const Workload> BignumRows();
std::span<const Workload> BurstIdleRows();
std::span<const Workload> CallocRows();
std::span<const Workload> CrowdRows();
std::span<const Workload> DeadThreadsRows();
std::span<const Workload> FalseSharingRows();
std::span<const Workload> FragmentationRows();
std::span<const Workload> GroupsRows();
std::span<const Workload> GrowthRows();
std::span<const Workload> HandoffRows();
std::span<const Workload> LruCacheRows();
std::span<const Workload> PairRows();
std::span<const Workload> RingRows();
std::span<const Workload> ServerChurnRows();
std::span<const Workload> ShortThreadsRows();
std::span<const Workload> ThreadsApartRows();
std::span<const Workload> TreesRows();
std::span<const Workload> WordsRows();
std::span<const Workload> WorkingSetRows();

}  // namespace bench

#endif  // BENCH_WORKLOADS_WORKLOAD_H_
