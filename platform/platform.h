// The whole contract between the core and the operating system and the CPU.
// Nothing above platform/ makes a system call, reads a CPU register or knows a
// constant of either.
//
// No primitive allocates, blocks on another thread (but for Yield and Wait) or
// touches errno. All may be called by any thread at any time. Sizes and addresses are
// in bytes; "page" is the system's page, PageSize().
#ifndef ALCOVE_PLATFORM_PLATFORM_H_
#define ALCOVE_PLATFORM_PLATFORM_H_

#include <stddef.h>
#include <stdint.h>

#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {

// ---- Memory ----

// The system's page size: a power of two, at least 4096; asked of the system,
// never assumed.
size_t PageSize();

// Reserves address space that cannot be accessed and costs no memory.
// Pre:   size > 0, a multiple of the page size; alignment a power of two.
// Post:  [result, result + size) is this process's, inaccessible; result is
//        aligned. The surplus that alignment takes was given back, unless the
//        system takes nothing of it.
// Error: null, and nothing is reserved.
void* Reserve(size_t size, size_t alignment);

// Makes reserved or already accessible memory readable and writable.
// Pre:   [address, address + size) whole pages of one reservation.
// Post:  accessible; pages that were never touched, or were purged, read as
//        zero.
// Error: false; what was accessible before still is.
bool Commit(void* address, size_t size);

// Maps memory that is readable and writable and reads as zero; it costs memory
// only where it is touched.
// Pre:   size > 0, a multiple of the page size.
// Error: null.
void* Map(size_t size);

// The same, but in a child of fork the memory reads as zero again, and is still
// such.
// Error: null; always, where the system has nothing of the kind.
void* MapWipedByFork(size_t size);

// Gives a whole reservation or mapping, or whole pages of it, back to the
// system.
// Error: false, the range is as it was (the system can refuse to split a
//        mapping).
bool Unmap(void* address, size_t size);

// Returns the memory of committed pages to the system; the range stays
// committed.
// Post:  the range reads as zero.
// Error: false; the contents are undefined, the range stays accessible.
bool Purge(void* address, size_t size);

// Makes committed memory read as zero. Where few of its pages hold memory, none
// will: what is used sparsely stays so. `address` is a page's.
void ZeroPages(void* address, size_t size);

// Moves the pages of one committed range to another without copying them.
// Pre:   both ranges are whole pages, committed, and do not overlap; `from` is
//        one mapping; `to` holds nothing of value.
// Post:  `to` holds the contents, `from` is committed and reads as zero.
// Error: false; `from` is as it was, `to` is of undefined contents, and where
//        memory is short no longer accessible: Commit(to, size) tells, and if
//        it fails the range must not be used again. The process stops if
//        another's mapping took `to`'s place.
bool MovePages(void* to, void* from, size_t size);

// Replaces a committed range by fresh pages, and lets the system forget that it
// was moved (a moved range is a mapping of its own, and a process may have only
// so many: vm.max_map_count, 65530 by default on Linux).
// Post:  the range is committed and reads as zero.
// Error: false; the contents are undefined, the range stays accessible.
bool Refresh(void* address, size_t size);

// Makes committed memory inaccessible; what is in it stays until it is purged, and
// Commit gives it back.
// Pre:   whole pages of one reservation.
// Error: false; the range is as it was (the system can refuse to split a mapping).
bool Protect(void* address, size_t size);

// Asks for transparent huge pages in a committed range; a hint that may do
// nothing.
void AdviseHugePages(void* address, size_t size);

// Whether every page of [address, address + size) can be written to. Contents stay as
// they are, but each page becomes present.
// Pre:   whole pages, which any thread may use meanwhile.
// Error: true where the system does not let us ask.
bool IsWritable(void* address, size_t size);

// Whether the 8 bytes at `address`, a multiple of 8, can be read; any address may be
// asked about.
// Error: false where the system does not let us ask.
bool IsReadable(const void* address);

// Fills `size` bytes, 256 at the most, with random ones that nobody can foresee.
// Error: false; the contents are undefined. (The system has none yet, soon after it
//        began, or does not let us ask.)
bool Entropy(void* bytes, size_t size);

// ---- Threads ----

using ThreadId = uint32_t;  // never 0

// The calling process's id, which is that of its first thread; another one in a
// child of fork, where the first thread is the one that forked.
using ProcessId = uint32_t;
ProcessId CurrentProcess();

// The calling thread's id.
ThreadId CurrentThread();

// Whether a thread of that id may still run in this process. False is certain:
// the thread has left user space for good, and its id belongs to no thread of
// the process now. True may also mean that the id was given to another thread,
// or that the system does not let us ask.
bool ThreadMayBeAlive(ThreadId thread);

// Whether another process uses the memory that this one does, as after the system
// call clone with CLONE_VM and without CLONE_THREAD. The id may be that of any thread
// of it. False also where the system does not let us ask.
bool SharesMemory(ProcessId process);

// Gives the rest of the calling thread's time slice away.
void Yield();

// Puts the calling thread to sleep if *word is `expected`, until a Wake of it,
// but for no longer than `milliseconds` (kForever: without end).
// Post:  false: the time is over. True: it was woken, or *word was another
//        value, or for no reason; the caller looks at *word again.
inline constexpr uint64_t kForever = ~uint64_t{0};
bool Wait(const uint32_t* word, uint32_t expected, uint64_t milliseconds);

// Ends the sleep of all threads of this process that are in a Wait of `word`.
// Whoever changes *word before is seen by those who only come to Wait.
void Wake(const uint32_t* word);

// Tells the CPU that this is a spin loop.
inline void SpinHint();

// ---- Time ----

// A cheap clock for deciding whether it is time to look at the real one. Its
// speed is not known; kTicksPerMillisecondMin is a lower bound of it on the
// machines we serve.
inline uint64_t Ticks();

// Milliseconds since an arbitrary moment; monotonic; costs a system call.
uint64_t Milliseconds();

// ---- Code ----

// What the frame pointer of a function that has one points to. The one of a function
// is __builtin_frame_address(0), which the compiler then gives it.
struct Frame {
  const Frame* caller;
  void* return_address;
};

// ALCOVE_SYMBOL("name") at the end of a variable's declaration gives it this
// name in the object file, whatever it is called in C++.

// ALCOVE_NOTE(section, owner, type, a, b, symbol) puts an ELF note into the
// object, outside of any function: an entry of that owner (at most 7
// characters) and type, in that section, that is loaded with the program and
// that its program headers lead to. It says two 32-bit numbers and how far it
// is from there to `symbol`, in bytes, in 64 bits. All but `symbol`, which is a
// string, are literals.

// `value`, but the compiler does not know it; costs no instruction.
inline size_t Opaque(size_t value);

// Adds to a word that only the calling thread uses, and no signal handler of the
// thread runs in the middle of it; the compiler moves no access from one side to
// the other.
inline void AddUninterrupted(uintptr_t* word, intptr_t n);

// ---- Copying ----

// Copies `size` bytes between ranges of which `to` does not begin inside
// `from`; made for hundreds of bytes and more.
inline void CopyBulk(void* to, const void* from, size_t size);

// Fills `size` bytes; made for hundreds of bytes and more.
inline void FillBulk(void* to, unsigned char byte, size_t size);

// ---- The end ----

// Writes text to standard error, as far as that is possible.
void WriteError(const char* text, size_t size);

// Ends the process at once as by SIGABRT.
[[noreturn]] void Abort();

}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE

#include "platform/cpu.h"

#endif  // ALCOVE_PLATFORM_PLATFORM_H_
