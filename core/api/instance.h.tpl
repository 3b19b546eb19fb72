// {NAME}.h: an Alcove instance with the prefix `{PREFIX}`, version {VERSION}.
// Written by alcove_instance({LABEL}); do not edit.
//
// Every function may be called by any thread at any time unless it says otherwise, and
// none of them touches any other allocator of the process. Threads may end anywhere, and
// the process may be forked by any thread at any moment: the child can allocate, and free
// what other threads of its parent had, at once. What these had cached, and what is freed of
// their blocks of up to 64 KiB, is used again in the child once the thread that forked, if it
// has a cache, has called malloc, free or purge a few times, or thread_detach, or has ended
// where the knob `thread_exit` is "pthread_key". If it ends otherwise and never called, they
// stay unused, and shutdown gives EBUSY.
// (That it is a child is told by a page that the kernel wipes, from Linux 4.14 on. Where it
// does not, the process id has to do: a child that has an ancestor's id, after ids wrapped
// around or where a pid namespace begins, must not allocate from several threads then.)
// A child of vfork, or of posix_spawn, is the thread that made it, which should have called
// the instance before: else what it caches is not taken over when it ends. It must not be
// killed in the middle of a call: its parent goes on with the same cache. A thread that ends
// in the middle of a call loses what the call had in hand; in arena_destroy or arena_reset
// that is the arena, until shutdown.
//
// Signal handlers may call none of them, unless the knob `async_signal_safe` is on. Then
// they may call all of them, also where they interrupted one, at any instruction, on up to 7
// levels; but there thread_detach does nothing, shutdown gives EBUSY, and nothing may be done
// to an arena that the interrupted call creates, resets or ends, nor to a parent of it; and
// none may be called where shutdown was interrupted. A handler that interrupted a call has to
// return to it (no longjmp), or the level stays taken.
//
// A pointer that is not this instance's, a block freed twice or a wrong
// size, wherever it is noticed, stops the process (SIGABRT) after one line on standard
// error that names the instance, the misuse and the address, and, in a program that links
// @alcove//registry:name_owners, the instance whose memory it is.
#ifndef ALCOVE_INSTANCE_{PREFIX}H_
#define ALCOVE_INSTANCE_{PREFIX}H_

#include <stddef.h>
#include <stdint.h>

#if defined(ALCOVE_BUILDING_CORE)
#define ALCOVE_LABEL_STRING R"label({LABEL})label"
#endif

#if defined(__cplusplus)
#define ALCOVE_{PREFIX}NOEXCEPT noexcept
extern "C" {
#else
#define ALCOVE_{PREFIX}NOEXCEPT
#endif

// ---- The malloc family -------------------------------------------------------------
// As in C23 and POSIX. Sizes are bytes. Blocks of 16 bytes or more are aligned to 16,
// smaller ones to 8. A size of 0 gives a block of its own, to be freed like any other.
// Failure (no memory, or a size or product beyond PTRDIFF_MAX) gives null, and sets
// errno to ENOMEM only where the knob `set_errno` is on.

void* {PREFIX}malloc(size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// Null is allowed and does nothing. errno is left as it is.
void {PREFIX}free(void* block) ALCOVE_{PREFIX}NOEXCEPT;

// Zeroed memory for `count` objects of `size` bytes; fresh memory is not cleared twice.
void* {PREFIX}calloc(size_t count, size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// Keeps the contents up to the smaller size. On failure the old block stays as it is.
// A null block means malloc(size); a size of 0 frees the block and gives null.
void* {PREFIX}realloc(void* block, size_t size) ALCOVE_{PREFIX}NOEXCEPT;
void* {PREFIX}reallocarray(void* block, size_t count, size_t size)
    ALCOVE_{PREFIX}NOEXCEPT;

// `alignment` must be a power of two, at most 1 GiB; else null (errno EINVAL where
// `set_errno` is on). The size need not be a multiple of the alignment.
void* {PREFIX}aligned_alloc(size_t alignment, size_t size) ALCOVE_{PREFIX}NOEXCEPT;
void* {PREFIX}memalign(size_t alignment, size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// Returns 0, EINVAL (alignment not a power of two, or below sizeof(void*)) or ENOMEM.
// *block changes only on success; errno never does.
int {PREFIX}posix_memalign(void** block, size_t alignment, size_t size)
    ALCOVE_{PREFIX}NOEXCEPT;

// The bytes of a live block that may be used, at least those asked for; 0 for null.
size_t {PREFIX}malloc_usable_size(const void* block) ALCOVE_{PREFIX}NOEXCEPT;

// C23: as free(block), with the size (and alignment) that the block was allocated with.
// A size that the block cannot have had is misuse.
void {PREFIX}free_sized(void* block, size_t size) ALCOVE_{PREFIX}NOEXCEPT;
void {PREFIX}free_aligned_sized(void* block, size_t alignment, size_t size)
    ALCOVE_{PREFIX}NOEXCEPT;

// ---- Beyond malloc -----------------------------------------------------------------

// 1 if the address lies in a live span of this instance (in a block, live or free, or in
// the tail of a span), or below its private break, else 0. Any address may be asked about; it
// is not dereferenced.
int {PREFIX}owns(const void* address) ALCOVE_{PREFIX}NOEXCEPT;

// The usable size that malloc(size) would give; 0 if no such block can exist.
size_t {PREFIX}malloc_good_size(size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// Grows or shrinks a live block where it is, and returns its usable size then. Below
// `min_size` means: it cannot grow so far, and is as it was. Else it is as near to
// `max_size` (to `min_size`, if that is more) as can be: a long block (malloc_good_size of 64
// KiB or more) takes the free memory behind it, and gives back what is more than it needs,
// which never fails; a shorter one stays as it is, but for the last one of a monotonic
// arena. What is returned is the size that free_sized takes. Null has 0 bytes.
size_t {PREFIX}try_realloc_in_place(void* block, size_t min_size, size_t max_size)
    ALCOVE_{PREFIX}NOEXCEPT;

// Gives back any part of a live block: the bytes from `p` on, `size` of them, whichever
// thread's the block is, and in any order; from then on what is left before and behind is a
// block each, of whatever size and alignment, for free, realloc, malloc_usable_size and
// free_range. When nothing is left the block is gone. (A block is as long as
// malloc_usable_size says, which may be more than was asked for: who wants to have nothing
// left frees its last part by free, or gives back first what is beyond.)
//
// Memory that was given back is used again in granules of 16 bytes, once all of a granule is
// free, for blocks that fit into it; whole units of 64 KiB go back to the system at once, and
// to anybody (later, where the instance can get no memory at all). Until the rest is free, too,
// the statistics count what is not a whole unit as live, and in `bytes_gaps`. free_sized takes
// a part with malloc_usable_size's answer, or at least half of it; deallocate_trusted of the
// inline header takes none that free_range has cut. Frees of other blocks in the same 64 KiB
// (512 KiB, for blocks beyond 8 KiB) take some ten nanoseconds more for as long as any of them
// lives.
//
// A block of an arena goes in parts, too; but what is given back of it is not used again, and
// is counted, until the rest is gone; the memory of whole units goes to the system at once. So
// it is with every block where a knob guards their ends (`canaries`, `guard_pages`).
//
// Returns 0, or with nothing changed ENOMEM if there is no memory to write it down: 32 KiB at
// first, some 100 bytes for each part. Misuse is what is no block, was given back already, or
// reaches beyond the end of a block. Where another thread is stopped in the middle of the same
// the work is left for it, or for who comes next, and 0 is returned.
int {PREFIX}free_range(void* p, size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// A block whose address is a multiple of any number: 24, 1000, 3 * 4096. Null (errno EINVAL
// where `set_errno` is on) for 0, and where the least common multiple with 64 KiB, at which
// spans begin, is more than 1 GiB: powers of two up to 1 GiB will do, and any other number
// whose greatest odd factor is up to 16383 and that is not itself too large. A block is one
// of a slab where that has as many blocks as this factor says, and takes no more memory than
// others; else it takes a span, 128 KiB at the least. To be freed by free; realloc keeps
// malloc's alignment only.
void* {PREFIX}alloc_at_multiple(size_t multiple, size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// ---- Many calls ----------------------------------------------------------------------

// Fills blocks[0] to blocks[count - 1] as by as many calls of malloc(size), and returns how
// many there are: less than `count` where memory is short (ENOMEM where `set_errno` is on).
size_t {PREFIX}malloc_batch(size_t size, size_t count, void** blocks) ALCOVE_{PREFIX}NOEXCEPT;

// Frees each of them, of whatever size and whoever's; null is allowed and does nothing.
void {PREFIX}free_batch(void* const* blocks, size_t count) ALCOVE_{PREFIX}NOEXCEPT;

// A handle on the calling thread's cache, with which the calls below do without looking it
// up. Only for that thread, until it calls unpin or ends; may be nested. For as long as a
// thread holds one, its thread_detach does nothing, and its shutdown gives EBUSY. Never
// null: where there is no memory for a cache, the handle makes the calls look for one. With
// the knob `async_signal_safe` they look it up all the same.
typedef struct {PREFIX}pin_t {PREFIX}pin_t;
{PREFIX}pin_t* {PREFIX}pin(void) ALCOVE_{PREFIX}NOEXCEPT;
void {PREFIX}unpin({PREFIX}pin_t* pin) ALCOVE_{PREFIX}NOEXCEPT;

// As malloc and free. Any block may be freed so, and any block of theirs by any free.
void* {PREFIX}pinned_malloc({PREFIX}pin_t* pin, size_t size) ALCOVE_{PREFIX}NOEXCEPT;
void {PREFIX}pinned_free({PREFIX}pin_t* pin, void* block) ALCOVE_{PREFIX}NOEXCEPT;

// ---- The private break ---------------------------------------------------------------

// As sbrk(2), on an address range of the instance's own (`sbrk_reserve_mib`), never on the
// process's break, and beside malloc: moves the end of that range by `increment` bytes, and
// returns where it was. Memory that is added reads as zero; it is used to the byte, begins
// at a page, and is no block: to free it is misuse. A negative increment gives the memory
// behind the new end back to the system at once. Returns (void*)-1, with nothing changed,
// where there is no more, or less than is to be given back (ENOMEM where `set_errno` is on).
// May be called by several threads at once; who finds another one giving memory back waits
// for that. shutdown ends the range.
void* {PREFIX}sbrk(intptr_t increment) ALCOVE_{PREFIX}NOEXCEPT;

// ---- Donated memory ----------------------------------------------------------------

// Gives memory of the program to the instance: a static buffer, a part of a stack, any
// mapping, also of huge pages or of a file. Blocks are taken from it before the instance
// reserves or uses any other. The instance never unmaps, purges, remaps or advises it, and
// writes to it as it likes. It is the program's again after shutdown or abandon (then no
// block in it is live), as mapped as it was and of whatever contents; until then it must
// stay mapped and writable, and belong to nobody else.
//
// Any address and size will do. Blocks are in whole units of 64 KiB (aligned, too) within
// whole pages of 4 KiB; of each unit the instance needs 1.2 KiB more for its own data,
// besides some 3 KiB, and puts these into what is before the first or behind the last unit,
// or into units; so 256 KiB hold 2 or 3 units. Where it is given before the first
// allocation, frees of its blocks are as fast as of any; later, and for the second donation
// and so on, they take some nanoseconds more. With the knob `system_memory` each page of it
// becomes present.
//
// Returns 0, or, with nothing changed:
//   EINVAL  null; beyond 1 TiB or the address space; without room for one unit; or the
//           instance has some of it, donated or not
//   EFAULT  a page of it cannot be written to (without the knob `system_memory` nobody is
//           asked: then that it can is the caller's promise)
//   ENOMEM  24 donations (48 without `system_memory`) were taken already
int {PREFIX}donate(void* memory, size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// What is live in the donated memory that holds `address`, the instance's or an arena's (then
// 0, too, once that is gone: it is the program's), arenas' blocks included: calls
// visit(block, usable size, context) for each block, if `visit` is not null, and returns
// how many there are: 0 where shutdown takes no block away with it; 0, too, where the
// address is in no unit of donated memory. All other threads must wait, outside of any
// call; `visit` must not call the instance. What it costs grows with what is in use there
// and with the number of caches.
size_t {PREFIX}donated_visit_blocks(const void* address,
                                    void (*visit)(void* block, size_t size, void* context),
                                    void* context) ALCOVE_{PREFIX}NOEXCEPT;

// ---- Arenas ------------------------------------------------------------------------
// An arena is a temporary heap inside this instance: created and destroyed at run time,
// used by any number of threads at once, and gone without a trace. Blocks of an arena are
// freed, resized and measured like any others: free, realloc, malloc_usable_size and the
// rest know them by their address, from any thread.
//
// What an arena holds is counted in units of 64 KiB; each size class that a thread uses in
// it takes at least one, which stays that thread's for as long as it has any of it in use,
// or the arena ends: freed memory is first of all its own to use again. A block that is used,
// or an arena that is named, after the arena
// was destroyed or reset stops the process with a line that gives the arena's number and, if
// it was one of the last 256 to go, its name, wherever that is noticed: until the memory is
// used again or, with the knob `arena_quarantine`, for longer.

// A handle: compared, kept and passed on, never dereferenced. No two arenas of a process
// ever have the same.
typedef struct {PREFIX}arena {PREFIX}arena;

// A general arena gives freed blocks out again. A monotonic one never does: it only adds
// block behind block (a free is checked and counted), which is faster and denser.
enum { {PREFIX}arena_general = 0, {PREFIX}arena_monotonic = 1 };

typedef struct {PREFIX}arena_options {
  size_t struct_size;      // sizeof(*this); what is beyond it is taken as 0
  const char* name;        // for messages and statistics; copied, up to 31 bytes; or null
  {PREFIX}arena* parent;   // the arena whose quotas count this one's memory, too, and that
                           // takes this one along when it is destroyed; null for none;
                           // up to 64 deep
  size_t hard_quota;       // bytes in units that this arena and its children may hold
                           // together; a call that would need more fails; 0: no bound
  size_t soft_quota;       // the same, beyond which on_soft_quota is called; 0: none
  // Called once each time that what is held comes to exceed soft_quota, by the thread whose
  // call did it, when that call is done but for its return and holds nothing: it may
  // allocate, free and purge as it likes, but neither reset nor destroy the arena.
  void (*on_soft_quota)({PREFIX}arena* arena, size_t bytes_held, void* context);
  void* context;           // for on_soft_quota
  size_t alignment;        // of each block at least: a power of two up to 4096; 0: malloc's
  size_t reserve;          // bytes that the arena is likely to need, taken from the
                           // instance at once in one piece; only a hint, and bounded by
                           // hard_quota and a quarter of `region_reserve_mib`
  uint32_t mode;           // {PREFIX}arena_general or {PREFIX}arena_monotonic
  uint32_t flags;          // 0
} {PREFIX}arena_options;

// Null options mean a general arena without name and bounds. Null if there is no memory
// (ENOMEM where `set_errno` is on), or if an option makes no sense (EINVAL). There can
// be 65,000 at a time, less some that threads which destroyed arenas keep, up to 4 each.
{PREFIX}arena* {PREFIX}arena_create(const {PREFIX}arena_options* options)
    ALCOVE_{PREFIX}NOEXCEPT;

// Ends the arena, its children, and all blocks of both, whatever threads hold caches of it:
// these are dropped. No thread may be in a call that has to do with the arena or with a
// block of it. What it costs grows with the units the arena holds, not with its blocks.
// Null is allowed and does nothing.
void {PREFIX}arena_destroy({PREFIX}arena* arena) ALCOVE_{PREFIX}NOEXCEPT;

// Ends all blocks of the arena, and destroys its children; the arena lives on as it was
// created. Else as arena_destroy. Memory stays warm within the bounds of the instance's
// unused memory (`purge_dirty_min_kib`), to be used again by whoever needs it.
void {PREFIX}arena_reset({PREFIX}arena* arena) ALCOVE_{PREFIX}NOEXCEPT;

// Gives memory of the program to the arena, as donate does to the instance: it is used before
// any other, for blocks of this arena and nothing else (its children's neither), and never
// unmapped, purged, remapped or advised. arena_reset keeps it for the arena. It is the
// program's again, as mapped as it was and of whatever contents, when arena_destroy of the
// arena (or of one above it) returns, or at shutdown or abandon; nothing refers to it then,
// no cache and no other thread. Until then it must stay mapped and writable, and belong to
// nobody else. donated_visit_blocks says before what is live in it.
//
// Any address and size will do that has a whole, aligned unit of 64 KiB within its whole pages
// of 4 KiB; what is before the first unit and behind the last is not used. Nothing is written
// to the memory but what is in blocks (and zeros, where `calloc` or a knob wants them). The
// instance's own data, some 1.2 KiB for each unit and 1.5 KiB more, is in its own memory,
// with room for up to twice as many units, and kept for donations to come until shutdown;
// without the knob `system_memory`, from 5 units on, that is whole units of what was donated
// to the instance. There may be any number of donations. Each that there ever was at once
// costs frees of the blocks in others about a nanosecond.
//
// Quotas count units in use there as any others. What does not fit is taken from other
// memory; a hard_quota of the donation's size keeps the arena from holding more than that.
// Any thread may call it, at once with others that use the arena. If a thread is killed in
// it, or while it ends the arena, the memory is given back by shutdown only. A process that
// was forked has all that its parent had. A handle of no living arena stops the process.
//
// Returns 0, or, with nothing changed:
//   EINVAL  null; beyond 1 TiB or the address space; without a whole unit; or the instance
//           or an arena has some of it, donated or not
//   EFAULT  a page of it cannot be written to (without the knob `system_memory` nobody is
//           asked: then that it can is the caller's promise)
//   ENOMEM  no memory for the instance's own data
int {PREFIX}arena_donate({PREFIX}arena* arena, void* memory, size_t size)
    ALCOVE_{PREFIX}NOEXCEPT;

// As the functions of the malloc family; null, too, where a quota is exhausted. The blocks
// of arena_realloc must be null or the arena's own. The arena's `alignment` is kept by all
// of them, and by realloc.
void* {PREFIX}arena_malloc({PREFIX}arena* arena, size_t size) ALCOVE_{PREFIX}NOEXCEPT;
void* {PREFIX}arena_calloc({PREFIX}arena* arena, size_t count, size_t size)
    ALCOVE_{PREFIX}NOEXCEPT;
void* {PREFIX}arena_realloc({PREFIX}arena* arena, void* block, size_t size)
    ALCOVE_{PREFIX}NOEXCEPT;
void* {PREFIX}arena_reallocarray({PREFIX}arena* arena, void* block, size_t count,
                                 size_t size) ALCOVE_{PREFIX}NOEXCEPT;
void* {PREFIX}arena_aligned_alloc({PREFIX}arena* arena, size_t alignment, size_t size)
    ALCOVE_{PREFIX}NOEXCEPT;
int {PREFIX}arena_posix_memalign({PREFIX}arena* arena, void** block, size_t alignment,
                                 size_t size) ALCOVE_{PREFIX}NOEXCEPT;

// As alloc_at_multiple, but where `multiple` is no power of two the block always takes a
// span.
void* {PREFIX}arena_alloc_at_multiple({PREFIX}arena* arena, size_t multiple, size_t size)
    ALCOVE_{PREFIX}NOEXCEPT;

// The arena that the address lies in, or null if it lies in none that lives. Any address
// may be asked about; it is not dereferenced.
{PREFIX}arena* {PREFIX}arena_of(const void* address) ALCOVE_{PREFIX}NOEXCEPT;

// A snapshot of one arena, without its children where it does not say so; exact while no
// thread is inside a call, else approximate.
typedef struct {PREFIX}arena_stats_t {
  size_t struct_size;       // in: sizeof(*this); fields beyond it are left alone
  uint64_t number;          // arenas count from 1; no number is given twice
  char name[32];            // as in the options
  uint32_t mode;
  uint32_t threads;         // caches of threads that used it
  size_t children;          // arenas whose parent it is
  size_t blocks_live;       // blocks that were allocated and not freed
  size_t bytes_live;        // their usable bytes
  size_t blocks_peak;       // largest blocks_live seen, cached blocks included
  size_t bytes_peak;        // largest bytes_live seen, cached blocks included
  size_t bytes_mapped;      // address space that it holds, reserve included
  size_t bytes_committed;   // of that, what may hold memory
  size_t bytes_held;        // what quotas count, children included: units in use
  size_t bytes_held_peak;   // largest bytes_held seen
  size_t hard_quota;        // as in the options
  size_t soft_quota;
  size_t bytes_donated;     // in units that arena_donate gave it
  size_t bytes_donated_used;  // of these, what it has in use: counted in bytes_held, too
} {PREFIX}arena_stats_t;

// Fills *stats up to stats->struct_size bytes. Returns 0, or EINVAL for a null `stats` or
// one too small to hold struct_size itself.
int {PREFIX}arena_stats({PREFIX}arena* arena, {PREFIX}arena_stats_t* stats)
    ALCOVE_{PREFIX}NOEXCEPT;

// The live blocks of one size class.
typedef struct {PREFIX}arena_class_stats_t {
  size_t block_size;   // usable bytes of each; 0: of different sizes
  size_t blocks_live;
  size_t bytes_live;
  size_t units;        // of 64 KiB, that its blocks lie in
} {PREFIX}arena_class_stats_t;

// Fills up to `count` elements, one for each size class of which the arena holds a unit, in
// ascending order of size, and last one for all longer blocks together; all blocks of a
// monotonic arena of up to 64 KiB are one class of different sizes, which comes first.
// Returns how many there are.
size_t {PREFIX}arena_class_stats({PREFIX}arena* arena, {PREFIX}arena_class_stats_t* classes,
                                 size_t count) ALCOVE_{PREFIX}NOEXCEPT;

// Calls visit(block, usable size, context) for each live block of the arena, without its
// children. All other threads must wait, outside of any call that has to do with the arena
// or with a block of it; so must `visit`. Returns how many blocks there were.
size_t {PREFIX}arena_visit_blocks({PREFIX}arena* arena,
                                  void (*visit)(void* block, size_t size, void* context),
                                  void* context) ALCOVE_{PREFIX}NOEXCEPT;

// ---- When there is no memory ---------------------------------------------------------
// A call that finds no memory, or a quota exhausted, fails as it says above. Before that it
// asks the handlers that the program has set: the calling thread's, and if that gives up, or
// there is none, the instance's. Not for what can never be: products that overflow, sizes
// beyond 2^47. Without handlers nothing of this happens.

enum {
  {PREFIX}oom_fail = 0,   // there is nothing to be done: the call fails, or asks the next
  {PREFIX}oom_retry = 1,  // try again; after 100 times in one call it fails all the same
  {PREFIX}oom_abort = 2   // stop the process (SIGABRT), after a line on standard error
};

// What could not be served. Later releases may add members at the end.
typedef struct {PREFIX}oom_info {
  size_t struct_size;      // of the instance's own struct
  const char* prefix;      // "{PREFIX}"; a static string
  {PREFIX}arena* arena;    // whose memory or quota it is (the quota may be a parent's); for
                           // arena_create the parent; null for none
  size_t size;             // bytes asked for, 16 where blocks must be at least that
  size_t alignment;        // of the block; 0, as the size, for arena_create
  unsigned asked;          // how often handlers were asked in this call before
  int can_throw;           // 1 if this call may be left by an exception, else 0
} {PREFIX}oom_info;

// The call that asks holds nothing: a handler may free, purge, end arenas, set handlers,
// allocate from other instances, and from this one. A call that fails in there asks nobody,
// but fails; thread_detach does nothing there, and shutdown gives EBUSY. What a call is about
// must stay: realloc's block, the arena.
//
// A handler may leave by longjmp; the call is then as if it had failed, and nothing is lost.
// Before the jump, or after it, {PREFIX}oom_leave must be called, or the thread counts as
// still being in the handler, and is not asked again. A handler may throw where `can_throw`
// says so: see {PREFIX}oom_ask_throwing. Out of any other call an exception must not go, for
// those are noexcept.
//
// Several threads may be in the same handler at once. With the knob `async_signal_safe` it
// may be called in a signal handler, whose call found no memory. A thread that has no memory
// for a cache of its own asks, too; of such threads 32 at once, and others fail.
typedef struct {PREFIX}oom_handler {
  int (*call)(const {PREFIX}oom_info* info, void* context);  // gives one of the above
  void* context;
} {PREFIX}oom_handler;

// Set the instance's handler, or the calling thread's; null for none. *former, if that is
// not null, becomes the one before. The struct is the caller's, and must stay as it is while
// it is set; and the instance's for as long after as a call that began before goes on.
//
// The instance's is inherited by a child of fork, and so is the thread's by the thread that
// forked. shutdown and abandon take both away, and thread_detach, as the end of the thread,
// the thread's. Return 0, or EINVAL if `call` is null, or, the thread's, ENOMEM if there is no
// memory for a cache of this thread, where it is kept.
int {PREFIX}set_oom_handler(const {PREFIX}oom_handler* handler,
                            const {PREFIX}oom_handler** former) ALCOVE_{PREFIX}NOEXCEPT;
int {PREFIX}set_thread_oom_handler(const {PREFIX}oom_handler* handler,
                                   const {PREFIX}oom_handler** former)
    ALCOVE_{PREFIX}NOEXCEPT;

// The calling thread has left a handler, or is about to, other than by returning. Does
// nothing where it is in none.
void {PREFIX}oom_leave(void) ALCOVE_{PREFIX}NOEXCEPT;

// For functions that allocate and may throw, when {PREFIX}malloc and the like gave null: asks
// the handlers once more, with `can_throw` 1 and the number of times that this was done
// before. Returns 1 if the call is to be tried again, else 0; an exception of a handler goes
// through, after which {PREFIX}oom_leave has to be called. The C++ part below does all that.
int {PREFIX}oom_ask_throwing({PREFIX}arena* arena, size_t size, size_t alignment,
                             unsigned asked);

// ---- Life --------------------------------------------------------------------------

// Returns all memory that no block and no living thread's cache holds to the system at
// once; of what the calling thread caches, that of large blocks, too. Returns the bytes
// given back.
size_t {PREFIX}purge(void) ALCOVE_{PREFIX}NOEXCEPT;

// Hands the calling thread's cache back to the instance. Optional: for threads that
// live on but are done with the instance. The thread may use it again later.
void {PREFIX}thread_detach(void) ALCOVE_{PREFIX}NOEXCEPT;

// Unmaps everything that the instance ever mapped; its blocks, live or not, are gone.
// Returns 0; or EBUSY, with nothing changed, if another living thread still holds a cache
// (it has to end, or to call thread_detach, first). No other thread may call the instance
// meanwhile. Afterwards the instance is as at the start of the process, and usable. With
// the knob background_purge it also ends the instance's own thread.
int {PREFIX}shutdown(void) ALCOVE_{PREFIX}NOEXCEPT;

// As shutdown, whatever caches living threads hold: for code that is about to be unloaded.
// No thread may be in the instance, and no thread but the caller may ever call it again
// before it is loaded anew; that threads which used it end later is fine. Frees nothing of
// the caller's: what is in the blocks is gone. (alcove_instance(linkage = "plugin") calls it
// when the shared object is closed.)
void {PREFIX}abandon(void) ALCOVE_{PREFIX}NOEXCEPT;

// "{VERSION}", the version of the core; a static string.
const char* {PREFIX}version(void) ALCOVE_{PREFIX}NOEXCEPT;

// Every knob and its value as one JSON object; a static string.
const char* {PREFIX}config(void) ALCOVE_{PREFIX}NOEXCEPT;

// A snapshot. `blocks_live` and `bytes_live` count what the program holds: exact while no
// thread is inside a call, else approximate. The peaks are of what was taken from the
// spans, thread caches included, and may miss up to 64 KiB for each thread.
typedef struct {PREFIX}stats_t {
  size_t struct_size;      // in: sizeof(*this); fields beyond it are left alone
  size_t blocks_live;      // blocks that were allocated and not freed
  size_t bytes_live;       // their usable bytes
  size_t blocks_peak;      // largest blocks_live seen, cached blocks included
  size_t bytes_peak;       // largest bytes_live seen, cached blocks included
  size_t bytes_cached;     // free blocks in thread caches
  size_t bytes_spans;      // address space in spans that are handed out
  size_t bytes_spans_peak; // largest bytes_spans seen
  size_t bytes_dirty;      // unused units whose memory was not yet returned
  size_t bytes_committed;  // reserved address space made accessible so far
  size_t bytes_reserved;   // address space reserved for blocks
  size_t bytes_metadata;   // address space reserved for the allocator's own data
  size_t threads;          // heaps in use by a thread, a dead one not yet noticed included
  uintptr_t address_low;   // the lowest and one past the highest address that a block
  uintptr_t address_high;  //   of this instance can have; both 0 before the first
  size_t arenas;           // that live; their blocks are not in the counts above, but
                           //   what they hold is in bytes_spans
  size_t bytes_break;      // below the private break; of what is committed and reserved for
                           //   it, the two fields of these names count all
  size_t bytes_donated;    // of bytes_reserved, what was donated and blocks can be in
  size_t bytes_gaps;       // of bytes_live, what free_range gave back and nobody has again
} {PREFIX}stats_t;

// Fills *stats up to stats->struct_size bytes. Returns 0, or EINVAL for null or for a
// struct_size too small to hold struct_size itself.
int {PREFIX}stats({PREFIX}stats_t* stats) ALCOVE_{PREFIX}NOEXCEPT;

// All that is live, arenas' blocks included: calls visit(block, usable size, frames,
// frame_count, context) for each block, if `visit` is not null, and returns how many there
// are. With the knob `backtrace_frames` frames[0] is where the call that allocated the block
// would have returned to, frames[1] where its caller would have, and so on, as far as the
// chain of frame pointers goes; else there are none. They are valid until `visit` returns.
// All other threads must wait, outside of any call; `visit` must not call the instance. What
// is cached by a thread that ended without handing it back, or is on its way home from one
// thread to another, is not live. Costs some time for each unit in use.
size_t {PREFIX}visit_blocks(void (*visit)(void* block, size_t size, void* const* frames,
                                          size_t frame_count, void* context),
                            void* context) ALCOVE_{PREFIX}NOEXCEPT;

// ---- The log -----------------------------------------------------------------------
// Up to the level that the knob `log_level` compiles in (none, by default) an instance says
// what it does, a line at a time. Each begins with "alcove[{PREFIX}]: "; addresses are
// hexadecimal, the rest decimal.

enum {
  // The line that the process is stopped with, before it is; "out of memory: 100 bytes at a
  // multiple of 16" where a call fails, with ", in arena 7 (name)" if it is an arena's, and
  // "no arena" for arena_create. (Not where a size or product can never be.)
  {PREFIX}log_error = 1,
  // "reserved 137438953472 bytes at 0x7f0000000000, range 1"; "arena 7 (name) created" and
  // "destroyed" (not for the children that a parent takes along); "shut down".
  {PREFIX}log_info = 2,
  // "heap 3 made by thread 4711" or "taken over"; "committed 2097152 bytes at 0x7f0000000000";
  // "purged 65536 bytes", if it was any.
  {PREFIX}log_debug = 3,
  // "slab at 0x7f0000010000 made: 0 of 1024 blocks of 64 bytes out ....": so, too, when a
  // thread's cache is filled from it ("used"), and when it goes ("retired"), each with a
  // picture: a character for each block or for as many side by side as make it at most 64.
  // # one is out, live or cached; o all are back; . none was ever out. Not slabs of arenas.
  {PREFIX}log_trace = 4
};

typedef struct {PREFIX}log_sink {
  // `line` has no newline, and is gone when it returns.
  void (*write)(int level, const char* line, void* context);
  void* context;
  int level;  // which lines it gets: those up to this level
} {PREFIX}log_sink;

// Sets who gets the lines; null for nobody. *former, if that is not null, becomes the one
// before. The struct is the caller's, and must stay as it is while it is set and for as long
// after as a call that began before goes on. shutdown and abandon take it away.
//
// `write` may be called by any thread, by several at once, in the middle of any call of this
// instance: it must return, and neither allocate from this instance, free to it nor change
// anything else of it, nor call who does; other allocators are free to use. With the knob
// `async_signal_safe` it may be called in signal handlers.
//
// Returns 0; EINVAL if `write` is null or the level none; or ENOTSUP where the knob
// `log_level` is "off". (Levels beyond the knob's have no lines.)
int {PREFIX}set_log_sink(const {PREFIX}log_sink* sink, const {PREFIX}log_sink** former)
    ALCOVE_{PREFIX}NOEXCEPT;

#if defined(__cplusplus)
}  // extern "C"
#endif

// The C++ part, wherever there is a C++ library (a freestanding program has none).
#if defined(__cplusplus) && __STDC_HOSTED__ && !defined(ALCOVE_BUILDING_CORE)
#include <cstddef>
#include <limits>
#include <memory>
#include <memory_resource>
#include <new>
#include <type_traits>
#include <utility>

namespace {NAMESPACE} {

namespace internal {

template <typename E>
[[noreturn]] inline void Throw() {
#if defined(__cpp_exceptions)
  throw E();
#else
  __builtin_trap();
#endif
}

// What a later attempt gives, for as long as a handler that can throw says so; else
// std::bad_alloc, or what the handler throws.
template <typename Attempt>
[[gnu::noinline, gnu::cold]] inline void* TryAgainOrThrow(
    [[maybe_unused]] {PREFIX}arena* arena, [[maybe_unused]] std::size_t size,
    [[maybe_unused]] std::size_t alignment, [[maybe_unused]] Attempt attempt) {
#if defined(__cpp_exceptions)
  for (unsigned asked = 0;; ++asked) {
    int again;
    try {
      again = {PREFIX}oom_ask_throwing(arena, size, alignment, asked);
    } catch (...) {
      {PREFIX}oom_leave();
      throw;
    }
    if (again == 0) break;
    if (void* block = attempt()) return block;
  }
#endif
  Throw<std::bad_alloc>();
}

template <typename Attempt>
inline void* AllocateOrThrow({PREFIX}arena* arena, std::size_t size, std::size_t alignment,
                             Attempt attempt) {
  void* block = attempt();
  return block != nullptr ? block : TryAgainOrThrow(arena, size, alignment, attempt);
}

// Blocks of less than 16 bytes are aligned to 8 only.
inline void* Allocate(std::size_t size, std::size_t alignment) {
  return AllocateOrThrow(nullptr, size, alignment, [size, alignment] {
    return alignment <= 8 || (alignment <= 16 && size >= 16)
               ? {PREFIX}malloc(size)
               : {PREFIX}aligned_alloc(alignment, size);
  });
}
inline void* AllocateIn({PREFIX}arena* arena, std::size_t size, std::size_t alignment) {
  return AllocateOrThrow(arena, size, alignment, [arena, size, alignment] {
    return alignment <= 8 || (alignment <= 16 && size >= 16)
               ? {PREFIX}arena_malloc(arena, size)
               : {PREFIX}arena_aligned_alloc(arena, alignment, size);
  });
}

}  // namespace internal

// A stateless standard allocator on this instance; all of its copies are equal. Throws
// std::bad_alloc (std::bad_array_new_length on overflow) as the standard asks; built with
// -fno-exceptions it stops the process instead.
template <typename T>
class allocator {
 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using propagate_on_container_move_assignment = std::true_type;
  using is_always_equal = std::true_type;

  constexpr allocator() noexcept = default;
  template <typename U>
  constexpr allocator(const allocator<U>&) noexcept {}  // NOLINT: converts, as the standard asks

  [[nodiscard]] T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      internal::Throw<std::bad_array_new_length>();
    }
    return static_cast<T*>(internal::Allocate(n * sizeof(T), alignof(T)));
  }

  void deallocate(T* block, std::size_t) noexcept { {PREFIX}free(block); }

  template <typename U>
  friend constexpr bool operator==(const allocator&, const allocator<U>&) noexcept {
    return true;
  }
};

// The instance as a polymorphic memory resource. All objects of this class are equal; use
// resource() unless one of your own is needed.
class memory_resource final : public std::pmr::memory_resource {
 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    return internal::Allocate(bytes, alignment);
  }
  void do_deallocate(void* block, std::size_t, std::size_t) override { {PREFIX}free(block); }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
#if defined(__cpp_rtti)
    return dynamic_cast<const memory_resource*>(&other) != nullptr;
#else
    return this == &other;
#endif
  }
};

// The one resource most programs need; never destroyed, so that it may be used at exit.
inline memory_resource* resource() noexcept {
  static union Holder {
    Holder() : value() {}
    ~Holder() {}
    memory_resource value;
  } holder;
  return &holder.value;
}

// The calling thread's cache, looked up once for as long as the object lives (pin). It must
// be destroyed by the thread that made it.
class pinned {
 public:
  pinned() noexcept : pin_({PREFIX}pin()) {}
  ~pinned() { {PREFIX}unpin(pin_); }
  pinned(const pinned&) = delete;
  pinned& operator=(const pinned&) = delete;

  // Null where there is no memory.
  [[nodiscard]] void* allocate(std::size_t size) noexcept {
    return {PREFIX}pinned_malloc(pin_, size);
  }
  void deallocate(void* block) noexcept { {PREFIX}pinned_free(pin_, block); }

 private:
  {PREFIX}pin_t* pin_;
};

// ---- Arenas ------------------------------------------------------------------------

// A standard allocator on one arena; those of the same arena are equal. It does not keep
// the arena alive.
template <typename T>
class arena_allocator {
 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  // A container that is moved or swapped takes its arena along; a copy stays where it is.
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;
  using is_always_equal = std::false_type;

  explicit constexpr arena_allocator({PREFIX}arena* arena) noexcept : arena_(arena) {}
  template <typename U>
  constexpr arena_allocator(const arena_allocator<U>& other) noexcept  // NOLINT: converts
      : arena_(other.arena()) {}

  [[nodiscard]] T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      internal::Throw<std::bad_array_new_length>();
    }
    return static_cast<T*>(internal::AllocateIn(arena_, n * sizeof(T), alignof(T)));
  }

  void deallocate(T* block, std::size_t) noexcept { {PREFIX}free(block); }

  constexpr {PREFIX}arena* arena() const noexcept { return arena_; }

  template <typename U>
  friend constexpr bool operator==(const arena_allocator& a,
                                   const arena_allocator<U>& b) noexcept {
    return a.arena() == b.arena();
  }
#if __cplusplus < 202002L
  template <typename U>
  friend constexpr bool operator!=(const arena_allocator& a,
                                   const arena_allocator<U>& b) noexcept {
    return !(a == b);
  }
#endif

 private:
  {PREFIX}arena* arena_;
};

// One arena as a polymorphic memory resource; those of the same arena are equal. It does
// not keep the arena alive.
class arena_resource final : public std::pmr::memory_resource {
 public:
  explicit arena_resource({PREFIX}arena* arena) noexcept : arena_(arena) {}
  {PREFIX}arena* arena() const noexcept { return arena_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    return internal::AllocateIn(arena_, bytes, alignment);
  }
  void do_deallocate(void* block, std::size_t, std::size_t) override { {PREFIX}free(block); }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
#if defined(__cpp_rtti)
    const auto* same = dynamic_cast<const arena_resource*>(&other);
    return same != nullptr && same->arena_ == arena_;
#else
    return this == &other;
#endif
  }

  {PREFIX}arena* arena_;
};

// Destroys an object and frees its block, for std::unique_ptr. It needs no arena.
template <typename T>
struct arena_delete {
  constexpr arena_delete() noexcept = default;
  template <typename U, typename = std::enable_if_t<std::is_convertible_v<U*, T*>>>
  constexpr arena_delete(const arena_delete<U>&) noexcept {}  // NOLINT: as default_delete
  void operator()(T* object) const noexcept {
    // The block begins where the most derived object does.
    void* block;
    if constexpr (std::is_polymorphic_v<T>) {
      block = const_cast<void*>(dynamic_cast<const volatile void*>(object));
    } else {
      block = const_cast<void*>(static_cast<const volatile void*>(object));
    }
    object->~T();
    {PREFIX}free(block);
  }
};

// {PREFIX}arena_options, for designated initializers:
//   {NAMESPACE}::arena request({.name = "request", .hard_quota = 1 << 20});
struct arena_options {
  const char* name = nullptr;
  {PREFIX}arena* parent = nullptr;
  std::size_t hard_quota = 0;
  std::size_t soft_quota = 0;
  void (*on_soft_quota)({PREFIX}arena*, std::size_t, void*) = nullptr;
  void* context = nullptr;
  std::size_t alignment = 0;
  std::size_t reserve = 0;
  std::uint32_t mode = {PREFIX}arena_general;
};

// Owns an arena, which it destroys in the end; movable. A function that allocates throws
// std::bad_alloc where there is no memory or a quota is exhausted; built with
// -fno-exceptions it stops the process instead. Destructors of objects in the arena are not
// run by reset, nor when the arena is destroyed.
class arena {
 public:
  // Throws std::bad_alloc where {PREFIX}arena_create gives null.
  explicit arena(const arena_options& options = {}) {
    {PREFIX}arena_options all = {};
    all.struct_size = sizeof(all);
    all.name = options.name;
    all.parent = options.parent;
    all.hard_quota = options.hard_quota;
    all.soft_quota = options.soft_quota;
    all.on_soft_quota = options.on_soft_quota;
    all.context = options.context;
    all.alignment = options.alignment;
    all.reserve = options.reserve;
    all.mode = options.mode;
    arena_ = {PREFIX}arena_create(&all);
    if (arena_ == nullptr) internal::Throw<std::bad_alloc>();
  }
  // Takes over what {PREFIX}arena_create gave; null for none.
  [[nodiscard]] static arena adopt({PREFIX}arena* handle) noexcept {
    return arena(Adopted{handle});
  }

  arena(arena&& other) noexcept
      : arena_(std::exchange(other.arena_, nullptr)),
        resource_(std::exchange(other.resource_, nullptr)) {}
  arena& operator=(arena&& other) noexcept {
    arena moved(std::move(other));
    std::swap(arena_, moved.arena_);
    std::swap(resource_, moved.resource_);
    return *this;
  }
  ~arena() {
    {PREFIX}arena_destroy(arena_);
    {PREFIX}free(resource_);
  }

  // Null once it was moved from.
  {PREFIX}arena* handle() const noexcept { return arena_; }
  explicit operator bool() const noexcept { return arena_ != nullptr; }
  // Gives the arena up, which lives on.
  [[nodiscard]] {PREFIX}arena* release() noexcept { return std::exchange(arena_, nullptr); }

  [[nodiscard]] void* allocate(std::size_t bytes, std::size_t alignment = 16) {
    return internal::AllocateOrThrow(arena_, bytes, alignment, [this, bytes, alignment] {
      return {PREFIX}arena_aligned_alloc(arena_, alignment, bytes);
    });
  }
  void deallocate(void* block) noexcept { {PREFIX}free(block); }
  void reset() noexcept { {PREFIX}arena_reset(arena_); }
  // 0, or the error that {PREFIX}arena_donate gives.
  [[nodiscard]] int donate(void* memory, std::size_t size) noexcept {
    return {PREFIX}arena_donate(arena_, memory, size);
  }

  // Made at the first call; stays where it is when the arena is moved, and as it is over a
  // reset. Not to be called by two threads at once.
  arena_resource* resource() {
    if (resource_ == nullptr) {
      void* block = internal::Allocate(sizeof(arena_resource), alignof(arena_resource));
      resource_ = ::new (block) arena_resource(arena_);
    }
    return resource_;
  }
  template <typename T>
  arena_allocator<T> allocator() const noexcept {
    return arena_allocator<T>(arena_);
  }

  // An object whose destructor nobody runs.
  template <typename T, typename... Arguments>
  T* make(Arguments&&... arguments) {
    return MakeUnique<T>(std::forward<Arguments>(arguments)...).release();
  }
  template <typename T, typename... Arguments>
  std::unique_ptr<T, arena_delete<T>> make_unique(Arguments&&... arguments) {
    return MakeUnique<T>(std::forward<Arguments>(arguments)...);
  }
  // The control block is in the arena, too; no copy may outlive it.
  template <typename T, typename... Arguments>
  std::shared_ptr<T> make_shared(Arguments&&... arguments) {
    return std::allocate_shared<T>(allocator<T>(), std::forward<Arguments>(arguments)...);
  }

  {PREFIX}arena_stats_t stats() const noexcept {
    {PREFIX}arena_stats_t stats = {};
    stats.struct_size = sizeof(stats);
    {PREFIX}arena_stats(arena_, &stats);
    return stats;
  }

 private:
  struct Adopted {
    {PREFIX}arena* handle;
  };
  explicit arena(const Adopted& adopted) noexcept : arena_(adopted.handle) {}

  template <typename T, typename... Arguments>
  std::unique_ptr<T, arena_delete<T>> MakeUnique(Arguments&&... arguments) {
    // Frees the block if the constructor throws.
    struct Raw {
      void* block;
      ~Raw() { {PREFIX}free(block); }
    };
    Raw raw{allocate(sizeof(T), alignof(T))};
    T* object = ::new (raw.block) T(std::forward<Arguments>(arguments)...);
    raw.block = nullptr;
    return std::unique_ptr<T, arena_delete<T>>(object);
  }

  {PREFIX}arena* arena_ = nullptr;
  arena_resource* resource_ = nullptr;
};

}  // namespace {NAMESPACE}
#endif

#undef ALCOVE_{PREFIX}NOEXCEPT
#endif  // ALCOVE_INSTANCE_{PREFIX}H_
