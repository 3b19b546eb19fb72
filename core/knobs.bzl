"""The knob schema: every setting that a stamped instance can be given, once.

`alcove_core` hands this schema to the stamping macro, which checks a user's `config`
against it, and writes each knob into the instance's `alcove_config.h` as
`#define ALCOVE_KNOB_<name> <value>`. core/base/config.h gives each one a typed constant
and checks the combinations.

A knob is a dict:

    type       "int", "bool" or "choice"
    default    the value in the preset `default`
    min, max   inclusive bounds of an int
    multiple_of  what an int must be a multiple of; 1 if left out
    choices    the values of a choice
    externals  undefined symbols that a value needs, by value: the audit's allow-list
    copts      flags that a value adds, by value, where the compiler knows them
    lacks      public names that an instance with a value does not have, by value
    doc        one sentence: what it does, its unit, what it costs
"""

KNOBS = {
    "region_reserve_mib": {
        "type": "int",
        "default": 131072,
        "min": 4,
        "max": 4194304,
        "doc": "Address space reserved at the first allocation, in MiB; halved until the system grants it. 128 GiB lets 500 instances share the 128 TiB of a 47-bit address space; more is reserved when it is used up. Metadata is reserved with it, about 1.8% of it; a process that calls mlockall would fill that with memory, and should reserve little.",
    },
    "region_growth_percent": {
        "type": "int",
        "default": 200,
        "min": 100,
        "max": 1600,
        "doc": "How long each further range of address space is that is reserved when the ones before are used up, in percent of the one before, up to 128 GiB. There are 48 at the most, so that little growth bounds what an instance can hold: at 100 to 48 times `region_reserve_mib`, unless single blocks need more.",
    },
    "sbrk_reserve_mib": {
        "type": "int",
        "default": 16384,
        "min": 1,
        "max": 4194304,
        "doc": "How far the instance's private break can go, in MiB of address space, which is reserved by the first call of sbrk; halved until the system grants it.",
    },
    "commit_chunk_kib": {
        "type": "int",
        "default": 16384,
        "min": 64,
        "max": 1048576,
        "multiple_of": 64,
        "doc": "How much reserved address space becomes accessible at a time, in KiB, a multiple of 64; it costs no memory until touched.",
    },
    "purge_delay_ms": {
        "type": "int",
        "default": 100,
        "min": 0,
        "max": 3600000,
        "doc": "How long unused units keep their memory before it goes back to the system, in milliseconds.",
    },
    "purge_dirty_max_mib": {
        "type": "int",
        "default": 256,
        "min": 0,
        "max": 1048576,
        "doc": "Unused memory beyond which a purge does not wait for its delay, in MiB: the most that `purge_dirty_min_kib` can grow to.",
    },
    "purge_dirty_min_kib": {
        "type": "int",
        "default": 1024,
        "min": 0,
        "max": 1073741824,
        "doc": "Unused memory that may lie about in a program that has fallen silent, in KiB, until it proves to be wanted again and again; where more is in use, a half of that may.",
    },
    "background_purge": {
        "type": "bool",
        "default": False,
        "externals": {
            "True": [
                "__errno_location",
                "pthread_attr_destroy",
                "pthread_attr_init",
                "pthread_attr_setstacksize",
                "pthread_create",
                "pthread_join",
                "pthread_sigmask",
                "sigfillset",
            ],
        },
        "doc": "Whether a thread of the instance's own purges unused units that nobody added to for `purge_delay_ms`, in a program that has fallen silent, too; it sleeps while there are none, and a shared object that is no `linkage = \"plugin\"` has to end it by calling shutdown before it is unloaded.",
    },
    "cache_bytes_per_class": {
        "type": "int",
        "default": 16384,
        "min": 64,
        "max": 1048576,
        "doc": "Bound on the bytes of one size class that one thread caches.",
    },
    "cache_blocks_per_class": {
        "type": "int",
        "default": 1024,
        "min": 8,
        "max": 4096,
        "doc": "Bound on the blocks of one size class that one thread caches.",
    },
    "cache_span_kib": {
        "type": "int",
        "default": 65536,
        "min": 0,
        "max": 1048576,
        "doc": "Bound on the bytes in cached spans (blocks of 64 KiB to 32 MiB) that one thread keeps, in KiB; all threads together keep four times as much, or an eighth of what is in use. A thread keeps them while it idles; purge gives back those of its caller.",
    },
    "arena_quarantine": {
        "type": "int",
        "default": 0,
        "min": 0,
        "max": 65536,
        "doc": "How many runs of units that arenas left behind are kept out of use, so that a late free of one of their blocks is noticed for as long; their memory goes back to the system at once, by a system call each. 0: they are used again as soon as they are wanted.",
    },
    "zero_on_free": {
        "type": "bool",
        "default": False,
        "doc": "Whether the memory of a block is zeroed when it is freed, and what an arena held when it is reset or destroyed, so that what was in it cannot be read later; inline headers only call. Units that nobody uses go back to the system at once.",
    },
    "canaries": {
        "type": "bool",
        "default": False,
        "doc": "Whether a write past the end of a block is noticed when the block is freed, resized or measured: what lies behind the bytes that were asked for, 8 at least, holds a value that depends on the address and on a secret of the instance. Then malloc_usable_size is exactly what was asked for, and free_sized takes nothing else; inline headers only call.",
    },
    "guard_pages": {
        "type": "bool",
        "default": False,
        "doc": "Whether a unit of 64 KiB that cannot be accessed follows each slab and each large block, and none of the memory that is free can be: whoever runs off the end, or uses what went back to the region, is stopped by SIGSEGV. It costs no memory but a system call whenever units are taken or given back, and a mapping for each span, of which a process may have some 65,000 (vm.max_map_count). Donated memory is as it was given.",
    },
    "random_placement": {
        "type": "bool",
        "default": False,
        "doc": "Whether each block of a slab is a random one of those that are free in it, by numbers that nobody outside can foresee, in place of the last one freed or the next one in memory. Blocks go back to their slabs one by one, where a double free is noticed at once; nothing of up to 64 KiB is cached.",
    },
    "reuse_delay": {
        "type": "int",
        "default": 0,
        "min": 0,
        "max": 1024,
        "doc": "How many freed blocks of each size class (of 256 KiB at most, but two) each thread keeps out of use, in an order that is random in part, before they go back to their slabs one by one; 0: none are. A double free is noticed meanwhile. Blocks of more than 64 KiB and those of arenas do not wait.",
    },
    "check_freed": {
        "type": "bool",
        "default": False,
        "doc": "Whether each block of up to 64 KiB is read when it is handed out, and when its `reuse_delay` is over, and a write to it while it was free stops the process; needs zero_on_free.",
    },
    "huge_pages_from_mib": {
        "type": "int",
        "default": 0,
        "min": 0,
        "max": 1048576,
        "doc": "Blocks of at least so many MiB are advised to use transparent huge pages; 0: none are.",
    },
    "system_memory": {
        "type": "bool",
        "default": True,
        "doc": "Whether the instance takes memory from the system. Without it there is what `donate` gives it and no more, the instance makes no system call at all, and a thread counts as alive until it calls thread_detach. Off needs tls = \"initial_exec\", thread_exit = \"probe\", and neither background_purge nor async_signal_safe.",
    },
    "thread_exit": {
        "type": "choice",
        "default": "probe",
        "choices": ["probe", "pthread_key"],
        "externals": {
            "pthread_key": ["pthread_key_create", "pthread_key_delete", "pthread_setspecific"],
        },
        "doc": "How the end of a thread is noticed: `probe` asks the kernel about the thread's id when another thread needs a heap and calls no libc; `pthread_key` hands the cache back through a pthread key of the instance's own, which a shared object that is no `linkage = \"plugin\"` has to give up by calling shutdown before it is unloaded.",
    },
    "tls": {
        "type": "choice",
        "default": "initial_exec",
        "choices": ["general_dynamic", "initial_exec", "pthread_key", "tlsdesc"],
        "copts": {
            "general_dynamic": ["-ftls-model=global-dynamic"],
            "tlsdesc": ["-ftls-model=global-dynamic", "-mtls-dialect=gnu2"],
        },
        "externals": {
            "general_dynamic": ["__tls_get_addr"],
            "pthread_key": [
                "pthread_getspecific",
                "pthread_key_create",
                "pthread_key_delete",
                "pthread_setspecific",
            ],
            "tlsdesc": ["__tls_get_addr"],
        },
        "lacks": {"pthread_key": ["thread_heap_v1"]},
        "doc": "How a thread finds its cache. `initial_exec` reads one pointer and takes 8 bytes of the static TLS of which glibc keeps some 1600 for all that is loaded later; the others take none, and their inline header only calls. `general_dynamic` calls __tls_get_addr, which may call the process's malloc once in each thread; `tlsdesc` is the same by descriptors, where the compiler knows them (g++), for a glibc in which bug 31372 is mended (2.40); `pthread_key` keeps the pointer under a key of the instance's own, of which a process has 1024, and without one left all allocations fail.",
    },
    "log_level": {
        "type": "choice",
        "default": "off",
        "choices": ["debug", "error", "info", "off", "trace"],
        "doc": "The most that may be logged to a function that the program sets (`set_log_sink`), from `off` over `error`, `info` and `debug` to `trace`; what is beyond is not compiled in. Nothing is logged on fast paths; elsewhere a line costs a load where no function is set.",
    },
    "set_errno": {
        "type": "bool",
        "default": False,
        "externals": {
            "True": ["__errno_location"],
        },
        "doc": "Whether a failed call sets libc's errno; without it the instance needs no libc.",
    },
    "async_signal_safe": {
        "type": "bool",
        "default": False,
        "doc": "Whether malloc, free and the rest may be called in a signal handler that interrupted a call of the same instance on the same thread, at any instruction; each such level, 7 at most, has a cache of its own. It costs some ten instructions a call, and inline headers only call. Needs tls = \"initial_exec\", thread_exit = \"probe\" and no background_purge; a handler that interrupted a call has to return, not to leave by longjmp.",
    },
    "backtrace_frames": {
        "type": "int",
        "default": 0,
        "min": 0,
        "max": 24,
        "doc": "How many return addresses are written down when a block is allocated, for `visit_blocks` and `leak_report`; 0: none. They are found by frame pointers (-fno-omit-frame-pointer), with a system call for each page of stack, and take so many words a block, out of line, and half of the address space that is reserved, a frame: reserve little. Inline headers only call.",
    },
    "leak_report": {
        "type": "bool",
        "default": False,
        "doc": "Whether shutdown says which blocks were not freed, with the addresses that `backtrace_frames` wrote down: a line each to the log sink, as an error, or to standard error where there is none.",
    },
    "check_invariants": {
        "type": "bool",
        "default": False,
        "doc": "Whether every operation checks the internal invariants it relies on, each free that its block is live, and each allocation that nobody wrote to the block while it was free (up to 64 KiB); slow.",
    },
}

# A preset is a set of changes to the defaults.
PRESETS = {
    "default": {},
    "async_signal_safe": {
        "async_signal_safe": True,
    },
    "checked": {
        "arena_quarantine": 256,
        "backtrace_frames": 16,
        "canaries": True,
        "check_invariants": True,
        "leak_report": True,
        "region_reserve_mib": 16384,
    },
    "debug": {
        "arena_quarantine": 256,
        "check_invariants": True,
    },
    "embedded": {
        "cache_blocks_per_class": 16,
        "cache_span_kib": 256,
        "system_memory": False,
    },
    "hardened": {
        "arena_quarantine": 256,
        "cache_span_kib": 0,
        "canaries": True,
        "check_freed": True,
        "guard_pages": True,
        "random_placement": True,
        "reuse_delay": 64,
        "zero_on_free": True,
    },
    "hosted": {
        "thread_exit": "pthread_key",
        "set_errno": True,
    },
}
