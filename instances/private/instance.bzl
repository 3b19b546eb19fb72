"""alcove_instance: one stamped copy of a core."""

load(":cc.bzl", "CC_TOOLCHAINS", "CC_TOOLCHAIN_ATTRS", "cc", "cc_info", "find_toolchain")
load(":compile.bzl", "compile_core", "compile_unload", "configure")
load(":config.bzl", "argument_error")
load(":headers.bzl", "COMMON_ATTRS", "resolve", "write_headers")
load(":link.bzl", "archive", "audit", "isolate", "linking_context")

def _alcove_instance_rule_impl(ctx):
    instance = resolve(ctx)
    toolchain = find_toolchain(ctx)
    features = configure(ctx, toolchain)

    headers = write_headers(ctx, instance)
    objects = compile_core(ctx, toolchain, features, instance, headers)
    isolated = isolate(ctx, toolchain, instance, objects)
    plugin = ctx.attr.linkage == "plugin"
    audited = audit(
        ctx,
        ctx.executable._audit,
        instance,
        isolated,
        ctx.attr.static_tls_bytes,
        hide = plugin,
    )
    unload = [compile_unload(ctx, toolchain, features, ctx.file._unload, instance)] if plugin else []
    library = archive(ctx, toolchain, features, audited.object, *unload)

    return [
        DefaultInfo(files = depset([library])),
        OutputGroupInfo(
            audit_report = depset([audited.report]),
            config_header = depset([headers.config]),
            header = depset(headers.public),
            object = depset([audited.object]),
            # For tests of the audit: what it would be shown. Nothing else may use it.
            unaudited_object = depset([isolated]),
        ),
        cc_info(
            compilation_context = cc.create_compilation_context(
                headers = depset(headers.public),
                quote_includes = depset(headers.include_dirs[:1]),
            ),
            linking_context = linking_context(ctx, toolchain, features, library),
        ),
    ]

# The name is what native.existing_rules() shows as the `kind`.
alcove_instance_rule = rule(
    implementation = _alcove_instance_rule_impl,
    attrs = dict(
        COMMON_ATTRS,
        linkage = attr.string(
            default = "program",
            doc = "What the instance is part of: program or plugin.",
        ),
        static_tls_bytes = attr.int(
            default = 8,
            doc = "How much static TLS the instance may take.",
        ),
        _audit = attr.label(
            cfg = "exec",
            default = Label("//instances/audit"),
            executable = True,
        ),
        _unload = attr.label(
            allow_single_file = [".cc"],
            default = Label("//instances/plugin:unload.cc"),
        ),
        **CC_TOOLCHAIN_ATTRS
    ),
    fragments = ["cpp"],
    provides = [cc_info],
    toolchains = CC_TOOLCHAINS,
)

def _same_prefix(prefix):
    for other, attributes in native.existing_rules().items():
        if attributes["kind"] == "alcove_instance_rule" and attributes["prefix"] == prefix:
            return other
    return None

def _prefix_argument_error(prefix):
    if type(prefix) != "string":
        return "prefix is of type %s; write a string such as \"render_\"" % type(prefix)
    other = _same_prefix(prefix) if prefix else None
    if other:
        return ("prefix \"%s\" is already that of :%s in this package; write one of its own, or " +
                "use that instance") % (prefix, other)
    return None

def _linkage_argument_error(linkage):
    if linkage in ("plugin", "program"):
        return None
    return "linkage is %s; write \"plugin\" for a shared object that is closed again, else \"program\"" % (
        json.encode(linkage) if type(linkage) == "string" else linkage,
    )

def _budget_argument_error(static_tls_bytes):
    if type(static_tls_bytes) == "int" and static_tls_bytes >= 0:
        return None
    return "static_tls_bytes is %s; write a number of bytes, 8 or more for most instances" % (
        json.encode(static_tls_bytes) if type(static_tls_bytes) == "string" else static_tls_bytes,
    )

def alcove_instance(
        name,
        prefix,
        config = "default",
        core = Label("//core"),
        linkage = "program",
        static_tls_bytes = 8,
        **kwargs):
    """Stamps an allocator of its own: all its state, and every symbol, has this prefix.

    Generated targets:
      <name>: a library to name in `deps`, position independent, with the header
        "<package>/<name>.h" for C and C++, and "<package>/<name>_inline.h" with inlined
        fast paths for C++20 (if the core has them). The library is the audit's output: an instance
        that leaks or needs a symbol cannot be built. Its output groups, for a filegroup's
        `output_group`: `header`; `config_header`; `object`, the audited object;
        `audit_report`, what the audit counted.

    Args:
      name: the target's name and the header's.
      prefix: a C identifier that ends in an underscore, e.g. "render_", that no other
        instance in the program has. Without the underscore it is the C++ namespace.
      config: a preset ("default", "debug", "embedded", "hosted"), or a dict of knobs, over the
        preset that its key "preset" names. core/knobs.bzl lists presets and knobs.
      core: the allocator to stamp; that of another release comes from the repository that
        holds it, e.g. "@alcove_0_1//core".
      linkage: "program", or "plugin" for an instance in a cc_binary(linkshared = True) that
        is closed with dlclose. Then its names are hidden, so that the shared object exports
        none of them, and closing it gives back all that the instance holds, even while
        threads that used it live on; nothing is done at the end of the process. No block of
        it may be in use by then, and no thread in it.
      static_tls_bytes: the most static TLS the instance may take; the budget that dlopen
        has for all plugins of a process is small.
      **kwargs: visibility, tags, testonly and what else every rule has.
    """
    error = (_prefix_argument_error(prefix) or argument_error(config) or
             _linkage_argument_error(linkage) or _budget_argument_error(static_tls_bytes))
    alcove_instance_rule(
        name = name,
        prefix = prefix if type(prefix) == "string" else "",
        argument_error = error or "",
        config_json = "" if error else json.encode(config),
        core = core,
        linkage = linkage if type(linkage) == "string" else "",
        static_tls_bytes = 0 if error else static_tls_bytes,
        **kwargs
    )
