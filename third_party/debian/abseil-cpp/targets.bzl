"""Upstream's labels for the abseil-cpp that Debian packages."""

# Package below //absl: its targets. A target's pkg-config file is named after
# the target, but for those that name another one.
_TARGETS = {
    "algorithm": {"algorithm": "", "container": "algorithm_container"},
    "base": {
        "base": "",
        "config": "",
        "core_headers": "",
        "dynamic_annotations": "",
        "fast_type_id": "",
        "log_severity": "",
        "no_destructor": "",
        "nullability": "",
        "prefetch": "",
    },
    "cleanup": {"cleanup": ""},
    "container": {
        "btree": "",
        "fixed_array": "",
        "flat_hash_map": "",
        "flat_hash_set": "",
        "inlined_vector": "",
        "linked_hash_map": "",
        "linked_hash_set": "",
        "node_hash_map": "",
        "node_hash_set": "",
    },
    "crc": {"crc32c": ""},
    "debugging": {
        "debugging": "",
        "failure_signal_handler": "",
        "leak_check": "",
        "stacktrace": "",
        "symbolize": "",
    },
    "flags": {
        "commandlineflag": "flags_commandlineflag",
        "config": "flags_config",
        "flag": "flags",
        "marshalling": "flags_marshalling",
        "parse": "flags_parse",
        "program_name": "flags_program_name",
        "reflection": "flags_reflection",
        "usage": "flags_usage",
    },
    "functional": {
        "any_invocable": "",
        "bind_front": "",
        "function_ref": "",
        "overload": "",
    },
    "hash": {"hash": ""},
    "log": {
        "absl_check": "",
        "absl_log": "",
        "check": "",
        "die_if_null": "",
        "flags": "log_flags",
        "globals": "log_globals",
        "initialize": "log_initialize",
        "log": "",
        "log_entry": "",
        "log_sink": "",
        "log_sink_registry": "",
        "log_streamer": "",
        "structured": "log_structured",
    },
    "memory": {"memory": ""},
    "meta": {"type_traits": ""},
    "numeric": {"bits": "", "int128": ""},
    "random": {
        "bit_gen_ref": "random_bit_gen_ref",
        "distributions": "random_distributions",
        "random": "random_random",
        "seed_gen_exception": "random_seed_gen_exception",
        "seed_sequences": "random_seed_sequences",
    },
    "status": {"status": "", "statusor": ""},
    "strings": {
        "cord": "",
        "str_format": "",
        "string_view": "",
        "strings": "",
    },
    "synchronization": {"synchronization": ""},
    "time": {"time": ""},
    "types": {
        "any": "",
        "compare": "",
        "optional": "",
        "span": "",
        "variant": "",
    },
    "utility": {"utility": ""},
}

def absl_pc_files():
    """Returns the names of the pkg-config files that stand behind the targets."""
    return [
        "absl_" + (pc or target)
        for targets in _TARGETS.values()
        for target, pc in targets.items()
    ]

def absl_package():
    """Declares upstream's targets of the calling package, absl/<folder>.

    A target that this release of Debian does not package fails only when
    something depends on it.
    """
    for target, pc in _TARGETS[native.package_name().split("/")[1]].items():
        native.alias(
            name = target,
            actual = "@debian_absl//:absl_" + (pc or target),
            visibility = ["//visibility:public"],
        )
