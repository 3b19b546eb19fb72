"""From the objects of an instance to the library that users link, through the audit."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load(":cc.bzl", "cc")
load(":labels.bzl", "label_text")

# What a compiler calls on its own even in freestanding code. Each instance has its own,
# hidden; the prefix tells whose they are in a backtrace or a profile.
_COMPILER_CALLS = ["memcmp", "memcpy", "memmove", "memset"]

# $1 ld, $2 objcopy, $3 linked, $4 isolated; then objcopy's arguments, `--`, the objects.
_ISOLATE = """
set -eu
ld=$1 objcopy=$2 linked=$3 isolated=$4
shift 4
renames=()
while [[ $1 != -- ]]; do renames+=("$1"); shift; done
shift
"$ld" -r --force-group-allocation -o "$linked" "$@"
"$objcopy" "${renames[@]}" --localize-hidden \
  --strip-unneeded-symbol=_GLOBAL_OFFSET_TABLE_ "$linked" "$isolated"
"""

def isolate(ctx, toolchain, instance, objects):
    """Declares the action that makes one relocatable object and hides what is hidden in it.

    --force-group-allocation dissolves COMDAT groups: a linker would merge those of two
    copies by name even after their symbols are local. Assemblers name
    _GLOBAL_OFFSET_TABLE_ wherever there is position independent code, needed or not.

    Args:
      ctx: the rule's context.
      toolchain: the CcToolchainInfo.
      instance: what resolve() returned.
      objects: the object files.

    Returns:
      The object file, which the audit has yet to see.
    """
    linked = ctx.actions.declare_file(ctx.label.name + ".alcove/linked.o")
    isolated = ctx.actions.declare_file(ctx.label.name + ".alcove/unaudited.o")
    args = ctx.actions.args()
    args.add(toolchain.ld_executable)
    args.add(toolchain.objcopy_executable)
    args.add_all([linked, isolated])
    args.add_all([
        "--redefine-sym=%s=%s%s" % (name, instance.prefix, name)
        for name in _COMPILER_CALLS
    ])
    args.add("--")
    args.add_all(objects)
    ctx.actions.run_shell(
        command = _ISOLATE,
        arguments = [args],
        inputs = depset(objects, transitive = [toolchain.all_files]),
        mnemonic = "AlcoveIsolate",
        outputs = [linked, isolated],
        progress_message = "Isolating %s" % label_text(ctx.label),
    )
    return isolated

def audit(ctx, tool, instance, isolated, static_tls_bytes, hide = False):
    """Declares the action that lets an object pass only if it is alone.

    Args:
      ctx: the rule's context.
      tool: the audit's FilesToRunProvider or executable File.
      instance: what resolve() returned.
      isolated: what isolate() returned.
      static_tls_bytes: how much static TLS the instance may take.
      hide: whether the public names are made hidden, once everything else is found good.

    Returns:
      A struct: object (the audited object file) and report (a text file).
    """
    object = ctx.actions.declare_file(ctx.label.name + ".alcove/audited.o")
    report = ctx.actions.declare_file(ctx.label.name + ".alcove/audit.txt")
    args = ctx.actions.args()
    args.add("--instance", label_text(ctx.label))
    args.add("--prefix", instance.prefix)
    args.add("--public_names", instance.core.public_names)
    args.add_all(instance.externals, before_each = "--allow")
    args.add_all(instance.lacks, before_each = "--lacks")
    args.add("--hide", "true" if hide else "false")
    args.add("--static_tls_bytes", str(static_tls_bytes))
    args.add("--object", isolated)
    args.add("--output", object)
    args.add("--report", report)
    ctx.actions.run(
        executable = tool,
        arguments = [args],
        inputs = [isolated, instance.core.public_names],
        mnemonic = "AlcoveAudit",
        outputs = [object, report],
        progress_message = "Auditing %s" % label_text(ctx.label),
    )
    return struct(object = object, report = report)

def archive(ctx, toolchain, features, *objects):
    """Declares the action that puts the audited object into a static library.

    Args:
      ctx: the rule's context.
      toolchain: the CcToolchainInfo.
      features: what configure() returned.
      *objects: the audited object, and what else belongs with it.

    Returns:
      The library, a File.
    """
    library = ctx.actions.declare_file("lib%s.a" % ctx.label.name)
    args = ctx.actions.args()
    args.add("rcsD")
    args.add(library)
    args.add_all(list(objects))
    ctx.actions.run(
        executable = cc.get_tool_for_action(
            action_name = ACTION_NAMES.cpp_link_static_library,
            feature_configuration = features,
        ),
        arguments = [args],
        inputs = depset(list(objects), transitive = [toolchain.all_files]),
        mnemonic = "AlcoveArchive",
        outputs = [library],
        progress_message = "Archiving %s" % label_text(ctx.label),
    )
    return library

def linking_context(ctx, toolchain, features, library):
    """Returns the CcLinkingContext of the library; its code is position independent."""
    return cc.create_linking_context(
        linker_inputs = depset([cc.create_linker_input(
            owner = ctx.label,
            libraries = depset([cc.create_library_to_link(
                actions = ctx.actions,
                cc_toolchain = toolchain,
                feature_configuration = features,
                # Or a second instance of the same prefix would be dropped in silence, and
                # its users be served by the first: the linker names both libraries.
                alwayslink = True,
                pic_static_library = library,
            )]),
        )]),
    )
