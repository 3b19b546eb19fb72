"""Compiles the sources of a core for one instance.

Not through cc_library or cc_common.compile: an instance must be the same code whatever
--copt, sanitizer, LTO or coverage flags the program around it is built with. So only the
toolchain's own part of the command line is kept (the compiler, its sysroot and such), and
what makes an instance an instance follows it, where it has the last word.
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load(":cc.bzl", "cc")
load(":labels.bzl", "label_text")

# What some toolchains offer and would change the code or its symbols. None is requested;
# these are for toolchains that turn them on by themselves, and for those that come with
# --compilation_mode and `bazel coverage`.
_REFUSED_FEATURES = [
    "asan",
    "autofdo",
    "coverage",
    "cs_fdo_instrument",
    "cs_fdo_optimize",
    "fastbuild",
    "fdo_instrument",
    "fdo_optimize",
    "full_lto",
    "gcc_coverage_map_format",
    "llvm_coverage_map_format",
    "msan",
    "opt",
    "propeller_optimize",
    "thin_lto",
    "tsan",
    "ubsan",
]

# What every compiler has to know. For whatever becomes part of a library of ours, however
# the program is built: code that any program can link, not instrumented, and machine code,
# which the audit reads.
_COMMON_FLAGS = [
    "-O2",
    "-U_FORTIFY_SOURCE",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-sanitize=all",
    "-fno-lto",
    "-fno-profile-arcs",
    "-fno-test-coverage",
]

# And for an instance.
_FLAGS = _COMMON_FLAGS + [
    "-std=c++20",
    # No libc, no C++ runtime, no part of them that a compiler would pull in by itself.
    "-ffreestanding",
    "-nostdinc++",
    "-fno-threadsafe-statics",
    "-fno-stack-protector",
    # Nothing external but what core/api exports.
    "-fvisibility-inlines-hidden",
    # Any other model calls a function. (A knob may choose one all the same.)
    "-ftls-model=initial-exec",
    "-fomit-frame-pointer",
    # A misuse stops the process inside the instance; without unwind tables the backtrace
    # would not reach the caller who did it. They are read on no other occasion.
    "-fasynchronous-unwind-tables",
]

# What only some compilers know, and those that do need.
_OPTIONAL_FLAGS = [
    # g++: inline variables would be STB_GNU_UNIQUE, one for the whole process.
    "-fno-gnu-unique",
    # No landing pads (endbr64): a toolchain that wants them has them in the rest.
    "-fcf-protection=none",
    # clang: a table of symbols' numbers, which no longer hold after `ld -r`.
    "-fno-addrsig",
    # Calls between an instance's own functions need no detour through a PLT.
    "-fno-semantic-interposition",
]

_NOBUILTIN_FLAGS = ["-fno-builtin"]
_NOBUILTIN_OPTIONAL_FLAGS = ["-fno-tree-loop-distribute-patterns"]

# Warnings stop the build only here: a user's newer compiler may have newer ones.
_WARNINGS = ["-Wall", "-Wextra"]

# $1: the file to write; $2: the compiler; $3: how many flags to try follow; then these,
# then the flags of the toolchain. Writes the flags that the compiler accepts without a
# word, one a line.
_PROBE = """
set -u
out=$1 compiler=$2 count=$3
shift 3
flags=("${@:1:count}")
shift "$count"
accepts() {
  "$compiler" "${toolchain[@]}" -Werror "$@" -x c++ -S -o /dev/null - </dev/null >/dev/null 2>&1
}
toolchain=("$@")
: >"$out"
accepts || { "$compiler" "${toolchain[@]}" -x c++ -S -o /dev/null - </dev/null; exit 1; }
for flag in "${flags[@]}"; do
  if accepts "$flag"; then echo "$flag" >>"$out"; fi
done
"""

def configure(ctx, toolchain):
    """Returns the feature configuration that an instance's actions use."""
    return cc.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = [],
        unsupported_features = _REFUSED_FEATURES,
    )

def _toolchain_command(features, toolchain):
    variables = cc.create_compile_variables(
        cc_toolchain = toolchain,
        feature_configuration = features,
        use_pic = True,
    )
    return struct(
        env = cc.get_environment_variables(
            action_name = ACTION_NAMES.cpp_compile,
            feature_configuration = features,
            variables = variables,
        ),
        flags = cc.get_memory_inefficient_command_line(
            action_name = ACTION_NAMES.cpp_compile,
            feature_configuration = features,
            variables = variables,
        ),
        tool = cc.get_tool_for_action(
            action_name = ACTION_NAMES.cpp_compile,
            feature_configuration = features,
        ),
    )

def _probe(ctx, toolchain, command, name, flags):
    out = ctx.actions.declare_file("%s.alcove/%s" % (ctx.label.name, name))
    ctx.actions.run_shell(
        command = _PROBE,
        arguments = [out.path, command.tool, str(len(flags))] + flags + command.flags,
        env = command.env,
        inputs = toolchain.all_files,
        mnemonic = "AlcoveFlags",
        outputs = [out],
        progress_message = "Asking the compiler what it knows for %s" % label_text(ctx.label),
    )
    return out

def _object_path(ctx, source):
    # A source of another repository has a short_path that begins with "../<repository>/".
    path = source.short_path
    if path.startswith("../"):
        path = path[len("../"):].partition("/")[2]
    return "%s.alcove/%s.o" % (ctx.label.name, path[:-len(".cc")])

def compile_core(ctx, toolchain, features, instance, headers):
    """Declares one action for each source of the core.

    Args:
      ctx: the rule's context.
      toolchain: the CcToolchainInfo.
      features: what configure() returned.
      instance: what resolve() returned.
      headers: what write_headers() returned.

    Returns:
      The object files.
    """
    core = instance.core
    command = _toolchain_command(features, toolchain)
    optional = _OPTIONAL_FLAGS + core.copts + instance.copts
    common = _probe(ctx, toolchain, command, "flags", optional)
    nobuiltin = _probe(
        ctx,
        toolchain,
        command,
        "nobuiltin_flags",
        optional + _NOBUILTIN_OPTIONAL_FLAGS,
    )
    include_dirs = [core.root or "."] + headers.include_dirs
    warnings = _WARNINGS + ([] if core.root else ["-Werror"])

    objects = []
    for source, extra, flags_file in [
        (source, [], common)
        for source in core.sources
    ] + [
        (source, _NOBUILTIN_FLAGS, nobuiltin)
        for source in core.nobuiltin_sources
    ]:
        object = ctx.actions.declare_file(_object_path(ctx, source))
        args = ctx.actions.args()
        args.add_all(command.flags)
        args.add_all(_FLAGS + extra)
        args.add(flags_file, format = "@%s")
        args.add_all(warnings)
        args.add_all(include_dirs, before_each = "-iquote")
        args.add("-c", source)
        args.add("-o", object)
        ctx.actions.run(
            executable = command.tool,
            arguments = [args],
            env = command.env,
            inputs = depset(
                [source, flags_file, headers.config] + headers.public,
                transitive = [core.headers, toolchain.all_files],
            ),
            mnemonic = "AlcoveCompile",
            outputs = [object],
            progress_message = "Compiling %s for %s" % (source.short_path, label_text(ctx.label)),
        )
        objects.append(object)
    return objects

def compile_unload(ctx, toolchain, features, source, instance):
    """Declares the action that compiles what a plugin does when it is closed.

    Args:
      ctx: the rule's context.
      toolchain: the CcToolchainInfo.
      features: what configure() returned.
      source: the File, //instances/plugin:unload.cc.
      instance: what resolve() returned.

    Returns:
      The object file.
    """
    command = _toolchain_command(features, toolchain)
    object = ctx.actions.declare_file(ctx.label.name + ".alcove/unload.o")
    args = ctx.actions.args()
    args.add_all(command.flags)
    args.add_all(_COMMON_FLAGS)
    args.add("-DALCOVE_ABANDON=%sabandon" % instance.prefix)
    args.add("-c", source)
    args.add("-o", object)
    ctx.actions.run(
        executable = command.tool,
        arguments = [args],
        env = command.env,
        inputs = depset([source], transitive = [toolchain.all_files]),
        mnemonic = "AlcoveCompile",
        outputs = [object],
        progress_message = "Compiling what closing %s does" % label_text(ctx.label),
    )
    return object
