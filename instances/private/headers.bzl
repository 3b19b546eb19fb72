"""Checks what both rules take, and writes an instance's headers."""

load(":config.bzl", "allowed_externals", "knob_copts", "lacking_names", "resolve_config")
load(":core_info.bzl", "read_core")
load(":labels.bzl", "label_text")
load(":prefix.bzl", "prefix_error", "prefix_namespace")

# What the rules have in common. The macros fill these in: a rule's attribute cannot hold
# a dict of mixed values, and Bazel's own message about a wrong type says no cure.
COMMON_ATTRS = {
    "argument_error": attr.string(
        doc = "What the macro found wrong with its arguments, one sentence; or empty.",
    ),
    "config_json": attr.string(
        default = "\"default\"",
        doc = "JSON of a preset's name or of a dict of knobs.",
    ),
    "core": attr.label(
        # Anything at all, so that read_core can say what to write instead.
        allow_files = True,
        mandatory = True,
        doc = "An alcove_core.",
    ),
    "prefix": attr.string(
        doc = "What every external symbol starts with.",
    ),
}

def _fail(ctx, sentence):
    fail("%s: %s." % (label_text(ctx.label), sentence))

def resolve(ctx):
    """Checks the common attributes and stops the analysis if one of them is wrong.

    Args:
      ctx: the context of a rule with COMMON_ATTRS.

    Returns:
      A struct: core (read_core), prefix, namespace, values (of every knob), and what the
      values make of an instance: externals (the undefined symbols it needs), copts (flags)
      and lacks (public names that it does not have).
    """
    if ctx.attr.argument_error:
        _fail(ctx, ctx.attr.argument_error)
    error = prefix_error(ctx.attr.prefix)
    if error:
        _fail(ctx, error)
    core, error = read_core(ctx.attr.core)
    if error:
        _fail(ctx, error)
    values, error = resolve_config(json.decode(ctx.attr.config_json), core.knobs, core.presets)
    if error:
        _fail(ctx, error)
    return struct(
        copts = knob_copts(values, core.knobs),
        core = core,
        externals = allowed_externals(values, core.knobs),
        lacks = lacking_names(values, core.knobs),
        namespace = prefix_namespace(ctx.attr.prefix),
        prefix = ctx.attr.prefix,
        values = values,
    )

def _c_value(value):
    if type(value) == "bool":
        return "true" if value else "false"
    return str(value)

def _config_text(ctx, instance, includes):
    description = {"prefix": instance.prefix, "version": instance.core.version}
    description.update(instance.values)
    defines = [
        ("ALCOVE_PREFIX", instance.prefix),
        ("ALCOVE_PREFIX_STRING", json.encode(instance.prefix)),
        ("ALCOVE_CORE_NAMESPACE", "alcove_core_" + instance.prefix),
        ("ALCOVE_PUBLIC_NAMESPACE", instance.namespace),
        ("ALCOVE_VERSION_STRING", json.encode(instance.core.version)),
    ] + [
        (name, json.encode(include))
        for name, include in includes
    ] + [
        # Encoded twice: the JSON text as a C string.
        ("ALCOVE_CONFIG_JSON", json.encode(json.encode(description))),
    ] + [
        ("ALCOVE_KNOB_" + name, _c_value(value))
        for name, value in sorted(instance.values.items())
    ]
    guard = "ALCOVE_CONFIG_%sH_" % instance.prefix
    return "\n".join([
        "// The configuration of %s; written by Alcove, do not edit." % label_text(ctx.label),
        "#ifndef " + guard,
        "#define " + guard,
        "",
    ] + ["#define %s %s" % define for define in defines] + [
        "",
        "#endif  // " + guard,
        "",
    ])

def write_headers(ctx, instance):
    """Declares the actions that write the public headers and alcove_config.h.

    Args:
      ctx: the rule's context.
      instance: what resolve() returned.

    Returns:
      A struct: public (Files, "<package>/<name>.h" and, if the core has one,
      "<package>/<name>_inline.h"), config (File, in a folder of its own) and include_dirs
      (what their includes are relative to, for -iquote).
    """
    config = ctx.actions.declare_file(ctx.label.name + ".alcove/alcove_config.h")
    substitutions = {
        "{LABEL}": label_text(ctx.label),
        "{NAMESPACE}": instance.namespace,
        "{NAME}": ctx.label.name,
        "{PREFIX}": instance.prefix,
        "{VERSION}": instance.core.version,
    }
    for name, value in instance.values.items():
        substitutions["{KNOB_%s}" % name] = _c_value(value)

    public = []
    includes = []
    for variable, template, suffix in [
        ("ALCOVE_PUBLIC_HEADER", instance.core.header_template, ".h"),
        ("ALCOVE_INLINE_HEADER", instance.core.inline_header_template, "_inline.h"),
    ]:
        if not template:
            continue
        header = ctx.actions.declare_file(ctx.label.name + suffix)
        ctx.actions.expand_template(
            template = template,
            output = header,
            substitutions = substitutions,
        )
        include = header.basename
        if ctx.label.package:
            include = ctx.label.package + "/" + include
        public.append(header)
        includes.append((variable, include))
    ctx.actions.write(config, _config_text(ctx, instance, includes))

    # Outputs lie under <bin>/<repository>/<package>; an include starts at the package.
    return struct(
        public = public,
        config = config,
        include_dirs = [public[0].path[:-len("/" + includes[0][1])], config.dirname],
    )
