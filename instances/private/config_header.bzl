"""alcove_config_header: a configuration to compile parts of a core with, for its tests."""

load(":cc.bzl", "cc", "cc_info")
load(":config.bzl", "argument_error")
load(":headers.bzl", "COMMON_ATTRS", "resolve", "write_headers")

def _alcove_config_header_impl(ctx):
    headers = write_headers(ctx, resolve(ctx))
    files = depset([headers.config] + headers.public)
    return [
        DefaultInfo(files = files),
        cc_info(compilation_context = cc.create_compilation_context(
            headers = files,
            quote_includes = depset(headers.include_dirs),
        )),
    ]

_alcove_config_header = rule(
    implementation = _alcove_config_header_impl,
    attrs = COMMON_ATTRS,
    provides = [cc_info],
)

def alcove_config_header(
        name,
        prefix,
        config = "default",
        core = Label("//core"),
        **kwargs):
    """Writes the headers of an instance without the instance.

    A cc_library with this in its `deps` compiles sources of the core as ordinary code:
    under sanitizers, with coverage, or one layer at a time.

    Generated targets:
      <name>: a library of headers, "alcove_config.h", "<package>/<name>.h" and
        "<package>/<name>_inline.h". It holds no code: only an instance defines what the
        public headers declare.

    Args:
      name: the target's name.
      prefix: as alcove_instance takes it.
      config: as alcove_instance takes it.
      core: as alcove_instance takes it.
      **kwargs: visibility, tags, testonly and what else every rule has.
    """
    error = argument_error(config)
    if type(prefix) != "string":
        error = "prefix is of type %s; write a string such as \"render_\"" % type(prefix)
    _alcove_config_header(
        name = name,
        prefix = "" if error else prefix,
        argument_error = error or "",
        config_json = "" if error else json.encode(config),
        core = core,
        **kwargs
    )
