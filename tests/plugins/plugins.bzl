"""Shared objects with an instance each, for a host to load and close."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//instances:defs.bzl", "alcove_instance")
load("//tools:copts.bzl", "ALCOVE_COPTS")

def test_plugin(name, config, core = "//core", tags = []):
    """Stamps an instance of its own into a shared object.

    Generated targets:
      lib<name>.so: the plugin.
      <name>_heap: its instance.

    Args:
      name: the plugin's, and with an underscore the prefix.
      config: the instance's.
      core: what is stamped.
      tags: e.g. "manual".
    """
    alcove_instance(
        name = name + "_heap",
        testonly = True,
        config = config,
        core = core,
        linkage = "plugin",
        prefix = name + "_",
        tags = tags,
    )
    cc_binary(
        name = "lib%s.so" % name,
        testonly = True,
        srcs = ["plugin.cc"],
        copts = ALCOVE_COPTS + [
            "-O2",
            "-fvisibility=hidden",
            "-DPLUGIN_HEADER='\"%s/%s_heap_inline.h\"'" % (native.package_name(), name),
            "-DPLUGIN_NAMESPACE=" + name,
            "-DPLUGIN_PREFIX=%s_" % name,
        ],
        linkshared = True,
        tags = tags,
        deps = [
            ":plugin",
            ":%s_heap" % name,
        ],
    )
