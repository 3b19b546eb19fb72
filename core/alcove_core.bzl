"""The core's build interface: what a core tells the macro that stamps it.

The macro and the core may be of different releases, each from a repository of its own. A
provider defined in one repository's .bzl files would be a different object from the
other's, so everything here travels in providers that are built into Bazel.

OutputGroupInfo, the files:

    sources            .cc files to compile
    nobuiltin_sources  .cc files that define memcpy & co, compiled so that no loop in them
                       becomes a call of the function it implements
    headers            files that the sources include
    header_template    the public header, with {NAME} {PREFIX} {NAMESPACE} {VERSION} {LABEL}
                       and {KNOB_<name>}, a knob's value
    inline_header_template  the same for <name>_inline.h; may be missing
    public_names       the list of public names, one ALCOVE_PUBLIC_NAME(name) a line, or
                       ALCOVE_PUBLIC_THREAD_LOCAL(name) for a thread-local variable

TemplateVariableInfo, the strings:

    ALCOVE_CORE_INTERFACE  the number of the interface that this core needs
    ALCOVE_CORE_VERSION    the release
    ALCOVE_CORE_ROOT       the folder that the core's includes are relative to
    ALCOVE_CORE_KNOBS      JSON of KNOBS; core/knobs.bzl says what an entry is made of
    ALCOVE_CORE_PRESETS    JSON of PRESETS
    ALCOVE_CORE_COPTS      JSON list of flags, each passed where the compiler knows it

What the macro gives the sources in return:

    alcove_config.h    on the include path, with ALCOVE_PREFIX, ALCOVE_PREFIX_STRING,
                       ALCOVE_CORE_NAMESPACE, ALCOVE_PUBLIC_NAMESPACE,
                       ALCOVE_VERSION_STRING, ALCOVE_CONFIG_JSON, ALCOVE_KNOB_<name> for
                       every knob, and ALCOVE_PUBLIC_HEADER and ALCOVE_INLINE_HEADER, what
                       to include for the headers it wrote
    a compiler         freestanding C++20 with the flags of instances/private/compile.bzl
    a linker           that renames memcpy, memmove, memset and memcmp to the prefix's and
                       localizes what is hidden
    an audit           of the names in public_names and the `externals` and `lacks` of
                       knobs

The number grows when a macro that knows only the one before could not stamp this core as
it is meant. It stays for what an older macro may ignore, or finds in the core itself:

    stays              sources, headers, public names; knobs and presets of the known
                       kinds; flags in copts; one more group or string that a macro need
                       not read; a key of a knob that only refuses bad values earlier
    grows              a placeholder, an ALCOVE_ definition or a flag that sources or
                       templates rely on and the older macro does not provide; a kind of
                       knob or of line in public_names; a group, string or key that must
                       be obeyed; a meaning that changes

The numbers so far:

    1                  the first
    2                  public thread-local variables, which inlined fast paths read
    3                  `copts` and `lacks` of knobs; a public name `abandon`, which
                       linkage = "plugin" calls at the end

Every macro stamps all earlier numbers too, and refuses later ones with a sentence that
names ALCOVE_CORE_VERSION: so this string and ALCOVE_CORE_INTERFACE stay what they are in
all interfaces to come. tests/versions stamps every release that was frozen.
"""

# What a core of this tree needs. A new number goes into the table above and into
# INTERFACES of instances/private/core_info.bzl as well.
CORE_INTERFACE = "3"

def _alcove_core_impl(ctx):
    return [
        DefaultInfo(files = depset(ctx.files.srcs + ctx.files.nobuiltin_srcs + ctx.files.hdrs)),
        OutputGroupInfo(
            header_template = depset([ctx.file.header_template]),
            headers = depset(ctx.files.hdrs),
            inline_header_template = depset(ctx.files.inline_header_template),
            nobuiltin_sources = depset(ctx.files.nobuiltin_srcs),
            public_names = depset([ctx.file.public_names]),
            sources = depset(ctx.files.srcs),
        ),
        platform_common.TemplateVariableInfo({
            "ALCOVE_CORE_COPTS": json.encode(ctx.attr.copts),
            "ALCOVE_CORE_INTERFACE": ctx.attr.interface,
            "ALCOVE_CORE_KNOBS": ctx.attr.knobs_json,
            "ALCOVE_CORE_PRESETS": ctx.attr.presets_json,
            "ALCOVE_CORE_ROOT": ctx.label.workspace_root,
            "ALCOVE_CORE_VERSION": ctx.attr.version,
        }),
    ]

_alcove_core = rule(
    implementation = _alcove_core_impl,
    attrs = {
        "copts": attr.string_list(),
        "hdrs": attr.label_list(allow_files = [".h", ".cc"]),
        "header_template": attr.label(allow_single_file = True, mandatory = True),
        "inline_header_template": attr.label(allow_single_file = True),
        "interface": attr.string(),
        "knobs_json": attr.string(mandatory = True),
        "nobuiltin_srcs": attr.label_list(allow_files = [".cc"]),
        "presets_json": attr.string(mandatory = True),
        "public_names": attr.label(allow_single_file = True, mandatory = True),
        "srcs": attr.label_list(allow_files = [".cc"]),
        "version": attr.string(mandatory = True),
    },
    provides = [OutputGroupInfo, platform_common.TemplateVariableInfo],
)

def alcove_core(
        name,
        srcs,
        hdrs,
        header_template,
        public_names,
        knobs,
        presets,
        version,
        nobuiltin_srcs = [],
        copts = [],
        inline_header_template = None,
        interface = CORE_INTERFACE,
        **kwargs):
    """Declares a core that alcove_instance can stamp. Nothing is compiled here.

    Generated targets:
      <name>: what `alcove_instance(core = ...)` takes.

    Args:
      name: the target's name.
      srcs: .cc files; every instance compiles each of them.
      hdrs: .h files that they include, relative to the root of this repository.
      header_template: the public header of an instance.
      public_names: the .def file with the public names.
      knobs: the knob schema (core/knobs.bzl).
      presets: dict of preset name to a dict of knobs.
      version: the release, e.g. "0.1.0".
      nobuiltin_srcs: .cc files that define memcpy, memmove, memset and memcmp.
      copts: flags that make the core faster or smaller; a compiler that does not know one
        goes without.
      inline_header_template: the header with inlined fast paths, if the core has one.
      interface: the number of the build interface; only tests change it.
      **kwargs: visibility, tags, testonly and what else every rule has.
    """
    _alcove_core(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        copts = copts,
        header_template = header_template,
        inline_header_template = inline_header_template,
        interface = interface,
        knobs_json = json.encode(knobs),
        nobuiltin_srcs = nobuiltin_srcs,
        presets_json = json.encode(presets),
        public_names = public_names,
        version = version,
        **kwargs
    )
