"""The core's build interface, version 2: what a core tells the macro that stamps it.

A core of another release comes from another repository, and a provider defined in that
repository's .bzl files would be a different object from ours. So everything here travels
in providers that are built into Bazel:

OutputGroupInfo, the files:

    sources            .cc files to compile
    nobuiltin_sources  .cc files that define memcpy & co, compiled so that no loop in them
                       becomes a call of the function it implements
    headers            .h files that the sources include
    header_template    the public header, with {NAME} {PREFIX} {NAMESPACE} {VERSION} {LABEL}
                       and {KNOB_<name>}, a knob's value
    inline_header_template  the same for <name>_inline.h; may be missing
    public_names       the list of public names, one ALCOVE_PUBLIC_NAME(name) a line, or
                       ALCOVE_PUBLIC_THREAD_LOCAL(name) for a thread-local variable

TemplateVariableInfo, the strings:

    ALCOVE_CORE_INTERFACE  "2"; grows when an older macro could not stamp this core (the
                           audit that came with "1" knew no public variables)
    ALCOVE_CORE_VERSION    the release
    ALCOVE_CORE_ROOT       the folder that the core's includes are relative to
    ALCOVE_CORE_KNOBS      JSON of KNOBS (core/knobs.bzl)
    ALCOVE_CORE_PRESETS    JSON of PRESETS
    ALCOVE_CORE_COPTS      JSON list of flags, each passed where the compiler knows it

Adding a group or a string keeps the number; so does a knob, whose schema travels along.
"""

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
        "hdrs": attr.label_list(allow_files = [".h"]),
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
        interface = "2",
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
