"""The core, or the platform alone, as ordinary libraries for unit tests.

An instance is compiled with flags of its own and linked into one audited object, which
no unit test could look into and no sanitizer sees. Here the same sources are a plain
cc_library, under whatever flags the command line asks for.
"""

load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")
load("//instances:defs.bzl", "alcove_config_header")
load("//tools:copts.bzl", "ALCOVE_COPTS")

PREFIX = "test_"

# The core brings its own memcpy & co, hidden; beside a libc they need names of their own.
# An instance is renamed after compiling, which a cc_library cannot do.
_RENAMED = [
    "%s=%s%s" % (function, PREFIX, function)
    for function in ("memcpy", "memmove", "memset", "memcmp")
]

def _library(name, config, srcs, fake, included = []):
    alcove_config_header(
        name = name + "_config",
        testonly = True,
        config = config,
        prefix = PREFIX,
    )
    platform_srcs = ["//platform:primitives"]
    if fake:
        platform_srcs.append("//platform/fake:srcs")
    else:
        platform_srcs.append("//platform:binding")
    cc_library(
        name = name,
        testonly = True,
        srcs = srcs + platform_srcs,
        hdrs = ["//core:hdrs", "//platform:hdrs", "//platform/fake:hdrs"],
        textual_hdrs = included,
        copts = ALCOVE_COPTS,
        linkstatic = True,
        local_defines = _RENAMED,
        deps = [":%s_config" % name],
    )

def core_under_test(name, config = "default", fake = True):
    """Compiles the whole core with a configuration.

    Generated targets:
      <name>: a cc_library with every header of core/ and platform/, and the prefix test_.
      <name>_config: its alcove_config.h and public header.

    Args:
      name: the library's name.
      config: as alcove_instance takes it.
      fake: whether the fake platform stands in for the real one.
    """
    if config == "default":
        # File by file, so that each includes what it needs.
        _library(name, config, ["//core:srcs", "//core:nobuiltin_srcs"], fake)
    else:
        parts = ["//core:parts", "//core:nobuiltin_srcs"]
        _library(name, config, parts, fake, included = ["//core:srcs"])

def platform_under_test(name, fake):
    """Compiles platform/ alone.

    Generated targets:
      <name>: a cc_library.
      <name>_config: the configuration that it is compiled with, "default".

    Args:
      name: the library's name.
      fake: whether the fake platform stands in for the real one.
    """
    _library(name, "default", [], fake)

def core_test(name, src, variants, deps = [], size = "small", timeout = "moderate", by_hand = [], **kwargs):
    """Runs one file of tests over several configurations of the core.

    Generated targets:
      <name> for the variant `default`, <name>_<variant> for each other.

    Args:
      name: the tests' name.
      src: the file.
      variants: names of configurations: the suffixes of core_<variant>.
      deps: more libraries.
      size: as cc_test takes it.
      timeout: as cc_test takes it; longer than the size's, for machines that do more.
      by_hand: more variants, over which it runs only where it is named.
      **kwargs: what else cc_test takes.
    """
    for variant in variants + by_hand:
        cc_test(
            name = name if variant == "default" else "%s_%s" % (name, variant),
            size = size,
            timeout = timeout,
            srcs = [src],
            copts = ALCOVE_COPTS,
            linkopts = ["-lpthread"],
            linkstatic = True,
            tags = ["manual"] if variant in by_hand else [],
            deps = deps + [
                ":core_" + variant,
                "@com_google_googletest//:gtest_main",
            ],
            **kwargs
        )
