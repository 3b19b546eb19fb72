"""alcove_malloc: an instance that is the process's malloc."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load(":cc.bzl", "CC_TOOLCHAINS", "CC_TOOLCHAIN_ATTRS", "cc", "cc_info", "find_toolchain")
load(":compile.bzl", "configure")
load(":instance.bzl", "alcove_instance")
load(":labels.bzl", "label_text")
load(":link.bzl", "archive")

# The functions of an instance that libc has too, with the same meaning: libc's name, and the
# instance's without its prefix. What libc has beyond them is in //instances/malloc, and all of
# it in names.txt there.
_OVERRIDDEN = {
    "__libc_calloc": "calloc",
    "__libc_free": "free",
    "__libc_malloc": "malloc",
    "__libc_realloc": "realloc",
    "aligned_alloc": "aligned_alloc",
    "calloc": "calloc",
    "free": "free",
    "free_aligned_sized": "free_aligned_sized",
    "free_sized": "free_sized",
    "malloc": "malloc",
    "malloc_usable_size": "malloc_usable_size",
    "posix_memalign": "posix_memalign",
    "realloc": "realloc",
    "reallocarray": "reallocarray",
}

# $1 nm, $2 objcopy, $3 the prefix, $4 the object, $5 the file to write; then libc's names and
# the instance's by turns.
# objcopy wants to know where a name belongs. Not `ld --defsym`: that copies the visibility
# of the entry points as well, and what is protected, gold does not export from a program.
_ALIAS = """
set -euo pipefail
nm=$1 objcopy=$2 prefix=$3 object=$4 aliased=$5
shift 5
places=$("$nm" -f sysv "$object" | tr -d ' ')
arguments=()
while (($# > 0)); do
  place=$(awk -F'|' -v name="$prefix$2" '$1 == name {print $7 ":0x" $2}' <<<"$places")
  if [[ ! $place =~ ^[.a-z]+.*:0x[0-9a-f]+$ ]]; then
    echo "$prefix$2 is not in $object" >&2
    exit 1
  fi
  arguments+=("--add-symbol=$1=$place,function,global")
  shift 2
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
    for name, own_name in sorted(_OVERRIDDEN.items()):
        args.add_all([name, own_name])
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

def _alcove_malloc_bridge_impl(ctx):
    source = ctx.actions.declare_file(ctx.label.name + ".c")
    ctx.actions.expand_template(
        output = source,
        substitutions = {
            "{HEADER}": ctx.attr.header,
            "{PREFIX}": ctx.attr.prefix,
        },
        template = ctx.file._template,
    )
    return [DefaultInfo(files = depset([source]))]

_alcove_malloc_bridge = rule(
    implementation = _alcove_malloc_bridge_impl,
    attrs = {
        "header": attr.string(
            mandatory = True,
            doc = "The instance's header, as one includes it.",
        ),
        "prefix": attr.string(
            mandatory = True,
            doc = "The instance's prefix.",
        ),
        "_template": attr.label(
            allow_single_file = True,
            default = Label("//instances/malloc:bridge.c.tpl"),
        ),
    },
)

def alcove_malloc(
        name,
        prefix,
        config = "hosted",
        core = Label("//core"),
        static_tls_bytes = 8,
        **kwargs):
    """Stamps an instance that is malloc, operator new and their families for a process.

    Its functions have two names each, e.g. app_malloc and malloc, of one address.

    Generated targets:
      <name>: what cc_binary's `malloc`, or --custom_malloc, takes. In the `deps` of a library
        it gives the header "<package>/<name>_heap.h", with <prefix>stats and the rest.
      lib<name>.so: the same for LD_PRELOAD. It needs libc and nothing else: C++ programs
        bring the C++ runtime that it throws std::bad_alloc with. Tagged "manual".
      <name>_heap: the alcove_instance. Only for its output groups: a program that links
        it as well as <name> has all of it twice, which the linker refuses.
      <name>_override, <name>_bridge, <name>_parts: parts of <name>.

    Args:
      name: the target's name.
      prefix: as alcove_instance takes it.
      config: as alcove_instance takes it. `hosted` does what libc's malloc does; without
        its knob `set_errno` a failed malloc leaves errno alone.
      core: as alcove_instance takes it.
      static_tls_bytes: as alcove_instance takes it.
      **kwargs: visibility, tags, testonly and what else every rule has.
    """
    private = dict(kwargs)
    private["visibility"] = ["//visibility:private"]
    prefix_string = prefix if type(prefix) == "string" else ""
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
        prefix = prefix_string,
        **private
    )
    package = native.package_name()
    _alcove_malloc_bridge(
        name = name + "_bridge",
        header = "%s%s_heap.h" % (package + "/" if package else "", name),
        prefix = prefix_string,
        **private
    )
    cc_library(
        name = name + "_parts",
        srcs = [name + "_bridge"],
        # What it defines is hidden, and called by the libraries it depends on.
        linkstatic = True,
        alwayslink = True,
        deps = [
            name + "_override",
            Label("//instances/malloc:beyond"),
        ],
        **private
    )

    # A cc_library, for Bazel 4.2 lets cc_binary's `malloc` be nothing else.
    cc_library(
        name = name,
        deps = [
            name + "_parts",
            Label("//instances/malloc:operators"),
        ],
        **kwargs
    )

    preload = dict(kwargs)
    preload["tags"] = kwargs.get("tags", []) + ["manual"]
    cc_binary(
        name = "lib%s.so" % name,
        linkopts = [
            # Bazel names the C++ runtime, which is not for C programs to load.
            "-Wl,--as-needed",
            # Every relocation at load time: a lazy one would come in mid-malloc.
            "-Wl,-z,now",
            "-Wl,-z,defs",
            "-Wl,-soname,lib%s.so" % name,
        ],
        linkshared = True,
        deps = [
            name + "_parts",
            Label("//instances/malloc:operators_for_preload"),
        ],
        **preload
    )
