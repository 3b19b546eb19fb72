"""Twelve instances for one process: three names, two versions, two configurations."""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("//:version.bzl", "ALCOVE_VERSION")
load("//instances:defs.bzl", "alcove_instance")
load("//tools:copts.bzl", "ALCOVE_COPTS")

_NAMES = [
    "alpha",
    "beta",
    "gamma",
]

_VERSIONS = {
    "new": ("//core", ALCOVE_VERSION),
    "old": ("@alcove_0_1//core", "0.1.0"),
}

_PRESETS = [
    "default",
    "hosted",
]

def coexisting_instances(name):
    """Stamps an instance for each combination, and a library that lists them.

    Generated targets:
      <name>: heaps.h, in a program whose malloc is jemalloc.
      <name>_list: the header that names them all, "<package>/<name>_list.h".
      alpha_old_default_heap and so on: the instances; alpha_old_default_ is the prefix.

    Args:
      name: the library's.
    """
    package = native.package_name()
    instances = []
    includes = []
    entries = []
    for first in _NAMES:
        for age, (core, version) in _VERSIONS.items():
            for preset in _PRESETS:
                word = "%s_%s_%s" % (first, age, preset)
                alcove_instance(
                    name = word + "_heap",
                    testonly = True,
                    config = preset,
                    core = core,
                    prefix = word + "_",
                )
                instances.append(":%s_heap" % word)
                includes.append("#include \"%s/%s_heap.h\"" % (package, word))
                entries.append("X(%s_, \"%s\", \"%s\", \"//%s:%s_heap\")" % (
                    word,
                    version,
                    preset,
                    package,
                    word,
                ))
    native.genrule(
        name = name + "_list",
        testonly = True,
        outs = [name + "_list.h"],
        cmd = "cat >$@ <<'END'\n%s\n#define COEXISTENCE_HEAPS(X) %s\nEND" % (
            "\n".join(includes),
            " \\\n  ".join([""] + entries).replace("$", "$$"),
        ),
    )
    cc_library(
        name = name,
        testonly = True,
        srcs = ["heaps.cc"],
        hdrs = [
            "heaps.h",
            ":%s_list" % name,
        ],
        copts = ALCOVE_COPTS,
        deps = instances + [
            "//tests/isolation:workload",
            "@jemalloc",
        ],
    )
