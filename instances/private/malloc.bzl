"""alcove_malloc: an instance that is the process's malloc."""

load("@rules_cc//cc:defs.bzl", "cc_library")
load(":cc.bzl", "CC_TOOLCHAINS", "CC_TOOLCHAIN_ATTRS", "cc", "cc_info", "find_toolchain")
load(":compile.bzl", "configure")
load(":instance.bzl", "alcove_instance")
load(":labels.bzl", "label_text")
load(":link.bzl", "archive")

# The functions of an instance that libc has too, under the same names and with the same
# meaning. What libc has beyond them is in //instances/malloc.
_OVERRIDDEN = [
    "aligned_alloc",
    "calloc",
    "free",
    "free_aligned_sized",
    "free_sized",
    "malloc",
    "malloc_usable_size",
    "memalign",
    "posix_memalign",
    "realloc",
    "reallocarray",
]

# $1 nm, $2 objcopy, $3 the prefix, $4 the object, $5 the file to write; then the names.
# objcopy wants to know where a name belongs. Not `ld --defsym`: that copies the visibility
# of the entry points as well, and what is protected, gold does not export from a program.
_ALIAS = """
set -euo pipefail
nm=$1 objcopy=$2 prefix=$3 object=$4 aliased=$5
shift 5
places=$("$nm" -f sysv "$object" | tr -d ' ')
arguments=()
for name in "$@"; do
  place=$(awk -F'|' -v name="$prefix$name" '$1 == name {print $7 ":0x" $2}' <<<"$places")
  if [[ ! $place =~ ^[.a-z]+.*:0x[0-9a-f]+$ ]]; then
    echo "$prefix$name is not in $object" >&2
    exit 1
  fi
  arguments+=("--add-symbol=$name=$place,function,global")
done
"$objcopy" "${arguments[@]}" "$object" "$aliased"
"""

def _alias(ctx, toolchain, object):
    """Declares the action that gives the entry points libc's names as well.

    A second name for the same address costs nothing when called, unlike a function that
    forwards; and the instance stays bit for bit what the audit has passed.
    """
    aliased = ctx.actions.declare_file(ctx.label.name + ".alcove/aliased.o")
    args = ctx.actions.args()
    args.add(toolchain.nm_executable)
    args.add(toolchain.objcopy_executable)
    args.add(ctx.attr.prefix)
    args.add_all([object, aliased])
    args.add_all(_OVERRIDDEN)
    ctx.actions.run_shell(
        command = _ALIAS,
        arguments = [args],
        inputs = depset([object], transitive = [toolchain.all_files]),
        mnemonic = "AlcoveAlias",
        outputs = [aliased],
        progress_message = "Naming %s malloc" % label_text(ctx.label),
    )
    return aliased

def _alcove_malloc_override_impl(ctx):
    toolchain = find_toolchain(ctx)
    features = configure(ctx, toolchain)
    object = ctx.attr.instance[OutputGroupInfo].object.to_list()[0]
    library = archive(ctx, toolchain, features, _alias(ctx, toolchain, object))
    return [
        DefaultInfo(files = depset([library])),
        cc_info(
            compilation_context = ctx.attr.instance[cc_info].compilation_context,
            linking_context = cc.create_linking_context(
                linker_inputs = depset([cc.create_linker_input(
                    owner = ctx.label,
                    libraries = depset([cc.create_library_to_link(
                        actions = ctx.actions,
                        # A program that calls malloc only through shared libraries
                        # would not pull it in.
                        alwayslink = True,
                        cc_toolchain = toolchain,
                        feature_configuration = features,
                        pic_static_library = library,
                    )]),
                )]),
            ),
        ),
    ]

_alcove_malloc_override = rule(
    implementation = _alcove_malloc_override_impl,
    attrs = dict(
        CC_TOOLCHAIN_ATTRS,
        instance = attr.label(
            mandatory = True,
            doc = "An alcove_instance.",
            providers = [OutputGroupInfo, cc_info],
        ),
        prefix = attr.string(
            mandatory = True,
            doc = "That instance's prefix.",
        ),
    ),
    fragments = ["cpp"],
    provides = [cc_info],
    toolchains = CC_TOOLCHAINS,
)

def alcove_malloc(
        name,
        prefix,
        config = "hosted",
        core = Label("//core"),
        static_tls_bytes = 8,
        operators = Label("//instances/malloc:operators"),
        **kwargs):
    """Stamps an instance that is malloc, operator new and their families for a process.

    Its functions have two names each, e.g. app_malloc and malloc, of one address.

    Generated targets:
      <name>: what cc_binary's `malloc`, or --custom_malloc, takes; or, in the `deps` of a
        shared object, what makes that fit for LD_PRELOAD. In the `deps` of a library it
        gives the header "<package>/<name>_heap.h", with <prefix>stats and the rest.
      <name>_heap: the alcove_instance. Only for its output groups: a program that links
        it as well as <name> has all of it twice, which the linker refuses.
      <name>_override: the instance with libc's names added, a part of <name>.

    Args:
      name: the target's name.
      prefix: as alcove_instance takes it.
      config: as alcove_instance takes it. `hosted` does what libc's malloc does; without
        its knob `set_errno` a failed malloc leaves errno alone.
      core: as alcove_instance takes it.
      static_tls_bytes: as alcove_instance takes it.
      operators: a cc_library that defines operator new and delete on top of malloc.
      **kwargs: visibility, tags, testonly and what else every rule has.
    """
    private = dict(kwargs)
    private["visibility"] = ["//visibility:private"]
    alcove_instance(
        name = name + "_heap",
        prefix = prefix,
        config = config,
        core = core,
        static_tls_bytes = static_tls_bytes,
        **private
    )
    _alcove_malloc_override(
        name = name + "_override",
        instance = name + "_heap",
        prefix = prefix if type(prefix) == "string" else "",
        **private
    )

    # A cc_library, for Bazel 4.2 lets cc_binary's `malloc` be nothing else.
    cc_library(
        name = name,
        deps = [
            name + "_override",
            operators,
            Label("//instances/malloc:pages"),
        ],
        **kwargs
    )
