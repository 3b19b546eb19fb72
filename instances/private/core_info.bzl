"""Reads a core's build interface (core/alcove_core.bzl) from its built-in providers."""

load("//:version.bzl", "ALCOVE_VERSION")
load(":labels.bzl", "label_text")

# The interfaces that this release can stamp, oldest first; none is ever taken away.
INTERFACES = ["1", "2", "3"]

# In the cores of every interface, also of those to come.
_ALWAYS = [
    "ALCOVE_CORE_INTERFACE",
    "ALCOVE_CORE_VERSION",
]

_VARIABLES = [
    "ALCOVE_CORE_COPTS",
    "ALCOVE_CORE_KNOBS",
    "ALCOVE_CORE_PRESETS",
    "ALCOVE_CORE_ROOT",
]

def read_core(target):
    """Returns what a core offers.

    Args:
      target: the Target that a rule's `core` attribute names.

    Returns:
      A pair: a struct with the fields copts, header_template, headers,
      inline_header_template (or None), knobs, nobuiltin_sources, presets, public_names,
      root, sources and version, and None; or None, and one sentence that says what is wrong
      and what to write instead.
    """
    variables = {}
    if platform_common.TemplateVariableInfo in target:
        variables = target[platform_common.TemplateVariableInfo].variables
    if OutputGroupInfo not in target or [name for name in _ALWAYS if not variables.get(name)]:
        return None, "core %s is not an alcove_core; write \"@<alcove's repository>//core\"" % (
            label_text(target.label)
        )
    interface = variables["ALCOVE_CORE_INTERFACE"]
    version = variables["ALCOVE_CORE_VERSION"]
    if interface not in INTERFACES:
        return None, ("core %s is version %s and needs build interface %s, but this macro, of " +
                      "Alcove %s, knows only %s; load alcove_instance from Alcove %s or newer") % (
            label_text(target.label),
            version,
            interface,
            ALCOVE_VERSION,
            " and ".join([", ".join(INTERFACES[:-1]), INTERFACES[-1]]),
            version,
        )
    missing = [name for name in _VARIABLES if name not in variables]
    if missing:
        return None, "core %s lacks %s; declare it with alcove_core" % (
            label_text(target.label),
            ", ".join(missing),
        )

    groups = target[OutputGroupInfo]
    inline = groups.inline_header_template.to_list() if hasattr(groups, "inline_header_template") else []
    return struct(
        copts = json.decode(variables["ALCOVE_CORE_COPTS"]),
        header_template = groups.header_template.to_list()[0],
        headers = groups.headers,
        inline_header_template = inline[0] if inline else None,
        knobs = json.decode(variables["ALCOVE_CORE_KNOBS"]),
        nobuiltin_sources = groups.nobuiltin_sources.to_list(),
        presets = json.decode(variables["ALCOVE_CORE_PRESETS"]),
        public_names = groups.public_names.to_list()[0],
        root = variables["ALCOVE_CORE_ROOT"],
        sources = groups.sources.to_list(),
        version = version,
    ), None
