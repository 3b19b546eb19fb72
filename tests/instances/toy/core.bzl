"""A core of three functions, to test stamping with in a fraction of the time."""

load("//core:alcove_core.bzl", "alcove_core")

TOY_KNOBS = {
    "depth": {
        "type": "int",
        "default": 3,
        "min": 1,
        "max": 10,
        "doc": "An int.",
    },
    "eager": {
        "type": "bool",
        "default": False,
        "doc": "A bool.",
    },
    "output": {
        "type": "choice",
        "default": "none",
        "choices": ["none", "libc"],
        "externals": {"libc": ["puts"]},
        "doc": "A choice that needs libc.",
    },
}

TOY_PRESETS = {
    "default": {},
    "deep": {"depth": 10},
}

def toy_core(name, srcs = [], public_names = "//tests/instances/toy:public_names.def", **kwargs):
    """Declares a core that works, or that one more source makes a bad one.

    Generated targets:
      <name>: for alcove_instance's `core`.

    Args:
      name: the target's name.
      srcs: sources to add.
      public_names: the list that the audit reads.
      **kwargs: what else alcove_core takes.
    """
    alcove_core(
        name = name,
        srcs = ["//tests/instances/toy:toy.cc"] + srcs,
        hdrs = [],
        header_template = "//tests/instances/toy:toy.h.tpl",
        knobs = TOY_KNOBS,
        nobuiltin_srcs = ["//tests/instances/toy:mem.cc"],
        presets = TOY_PRESETS,
        public_names = public_names,
        version = "9.8.7",
        **kwargs
    )
