#include "platform/linux_x86_64/primitives.h"
#include "platform/linux_x86_64/syscall.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace linux_x86_64 {

namespace {

constexpr long kAnonymous = kMapPrivate | kMapAnonymous | kMapNoReserve;

// How many pages are asked about at a time.
constexpr size_t kPagesAsked = 1024;

// Where at most this share of them holds memory, it is given back: to fill the
// rest would cost far more memory, and what gets to be used costs a page fault
// again (bench/TUNING.md).
constexpr size_t kSparseShare = 4;

}  // namespace

// The architecture has no other base page than 4 KiB (Intel SDM volume 3, 4.5),
// so that here, and only here, asking the system would tell nothing.
size_t PageSize() { return 4096; }

void* Reserve(size_t size, size_t alignment) {
  const size_t surplus = alignment > PageSize() ? alignment - PageSize() : 0;
  if (size + surplus < size) return nullptr;
  const long result =
      Call(kSysMmap, 0, Word(size + surplus), kProtNone, kAnonymous, -1, 0);
  if (Failed(result)) return nullptr;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(Pointer(result));
  const uintptr_t aligned = (begin + alignment - 1) & ~(alignment - 1);
  const size_t head = aligned - begin;
  const size_t tail = surplus - head;
  const bool headless =
      head == 0 || !Failed(Call(kSysMunmap, Word(begin), Word(head)));
  const bool trimmed =
      headless && (tail == 0 ||
                   !Failed(Call(kSysMunmap, Word(aligned + size), Word(tail))));
  // The system may have joined the mapping to a neighbour of the same kind, and
  // to trim it there takes a mapping more than the process may have. To give
  // back all of it takes none, but between two such neighbours; then the
  // surplus stays.
  const uintptr_t left = headless ? aligned : begin;
  if (!trimmed && !Failed(Call(kSysMunmap, Word(left),
                               Word(begin + size + surplus - left)))) {
    return nullptr;
  }
  return reinterpret_cast<void*>(aligned);
}

bool Commit(void* address, size_t size) {
  return !Failed(Call(kSysMprotect, Word(address), Word(size), kProtReadWrite));
}

void* Map(size_t size) {
  const long result =
      Call(kSysMmap, 0, Word(size), kProtReadWrite, kAnonymous, -1, 0);
  return Failed(result) ? nullptr : Pointer(result);
}

// Since Linux 4.14 (madvise(2)).
void* MapWipedByFork(size_t size) {
  void* const address = Map(size);
  if (address == nullptr ||
      !Failed(Call(kSysMadvise, Word(address), Word(size), kMadvWipeOnFork))) {
    return address;
  }
  Unmap(address, size);
  return nullptr;
}

bool Unmap(void* address, size_t size) {
  return !Failed(Call(kSysMunmap, Word(address), Word(size)));
}

bool Purge(void* address, size_t size) {
  return !Failed(Call(kSysMadvise, Word(address), Word(size), kMadvDontNeed));
}

void ZeroPages(void* address, size_t size) {
  unsigned char pages[kPagesAsked];
  char* at = static_cast<char*>(address);
  while (size != 0) {
    const size_t whole = size / PageSize();
    const size_t n = whole < kPagesAsked ? whole : kPagesAsked;
    const size_t bytes = n * PageSize();
    if (n == 0 || Failed(Call(kSysMincore, Word(at), Word(bytes),
                              Word(static_cast<void*>(pages))))) {
      FillBulk(at, 0, size);
      return;
    }
    size_t here = 0;
    for (size_t i = 0; i < n; ++i) here += pages[i] & 1;
    // A page that is not here may be swapped out, so it must not be skipped.
    if (here > n / kSparseShare || !Purge(at, bytes)) FillBulk(at, 0, bytes);
    at += bytes;
    size -= bytes;
  }
}

// Whether a part of the range is not mapped. Two ways to ask: a system that refuses
// memory may say the same to one of them.
static bool HasHole(void* address, size_t size) {
  if (Call(kSysMadvise, Word(address), Word(size), kMadvNormal) != -kErrNoMem)
    return false;
  unsigned char pages[kPagesAsked];
  char* const begin = static_cast<char*>(address);
  const size_t step = kPagesAsked * PageSize();
  for (size_t at = 0; at < size; at += step) {
    const size_t n = size - at < step ? size - at : step;
    if (Call(kSysMincore, Word(begin + at), Word(n),
             Word(static_cast<void*>(pages))) == -kErrNoMem)
      return true;
  }
  return false;
}

bool MovePages(void* to, void* from, size_t size) {
  // Without MREMAP_DONTUNMAP the old range would be a hole for a moment, into
  // which another thread's mmap could fall.
  const long result =
      Call(kSysMremap, Word(from), Word(size), Word(size),
           kMremapMayMove | kMremapFixed | kMremapDontUnmap, Word(to));
  if (Failed(result)) {
    // The system may have unmapped the target before it found that it cannot
    // (before Linux 6.17, where the source is two mappings). Then a hole is
    // there, and another thread's mmap can fall into it before this one fills
    // it. What is left then belongs to somebody else in parts, which nobody can
    // tell apart.
    const long filled = Call(kSysMmap, Word(to), Word(size), kProtReadWrite,
                             kAnonymous | kMapFixedNoReplace, -1, 0);
    if (Failed(filled) && HasHole(to, size)) {
      static constexpr char kLost[] =
          "alcove: mremap left a hole that another mapping took\n";
      WriteError(kLost, sizeof(kLost) - 1);
      Abort();
    }
    return false;
  }
  // What is left there is a mapping of its own until it is made anew.
  Refresh(from, size);
  return true;
}

bool Refresh(void* address, size_t size) {
  return !Failed(Call(kSysMmap, Word(address), Word(size), kProtReadWrite,
                      kAnonymous | kMapFixed, -1, 0));
}

bool Protect(void* address, size_t size) {
  return !Failed(Call(kSysMprotect, Word(address), Word(size), kProtNone));
}

void AdviseHugePages(void* address, size_t size) {
  Call(kSysMadvise, Word(address), Word(size), kMadvHugePage);
}

// The one call that writes to a word by the kernel's hand without changing it:
// FUTEX_WAKE_OP, asked to add nothing to it (futex(2)). The encoded operation,
// FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_NE, 0), wakes who waits for that word,
// which nobody does in memory that is not in use.
bool IsWritable(void* address, size_t size) {
  constexpr long kAddNothing = 1L << 28 | 1L << 24;
  const uint32_t own = 0;
  char* const begin = static_cast<char*>(address);
  for (size_t at = 0; at < size; at += PageSize()) {
    if (Call(kSysFutex, Word(&own), kFutexWakeOp | kFutexPrivate, 0, 0,
             Word(begin + at), kAddNothing) == -kErrFault) {
      return false;
    }
  }
  return true;
}

// rt_sigprocmask reads the set before it finds that there is no such thing to do
// with it (kernel/signal.c). The size of a set is that of a word.
bool IsReadable(const void* address) {
  constexpr long kNothingToDo = -1;
  constexpr long kSetBytes = 8;
  return Call(kSysRtSigprocmask, kNothingToDo, Word(address), 0, kSetBytes) ==
         -kErrInvalid;
}

// A request of 256 bytes or less is never cut short (getrandom(2)).
bool Entropy(void* bytes, size_t size) {
  return Call(kSysGetrandom, Word(bytes), Word(size), kGrndNonblock) ==
         Word(size);
}

}  // namespace linux_x86_64
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
