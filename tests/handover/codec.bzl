"""A plugin in several versions, each in a package of its own: all have the same prefix."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//instances:defs.bzl", "alcove_instance")
load("//tools:copts.bzl", "ALCOVE_COPTS")

def test_codec(name, core):
    """Stamps an instance into a shared object.

    Generated targets:
      lib<name>.so: the plugin.
      <name>_heap: its instance.

    Args:
      name: the plugin's.
      core: what is stamped.
    """
    alcove_instance(
        name = name + "_heap",
        testonly = True,
        config = {
            "preset": "hosted",
            # Loaded and closed by turns for ever: instances/README.md.
            "tls": "general_dynamic",
        },
        core = core,
        linkage = "plugin",
        prefix = "codec_",
    )
    cc_binary(
        name = "lib%s.so" % name,
        testonly = True,
        srcs = ["//tests/handover:codec.cc"],
        copts = ALCOVE_COPTS + [
            # A frozen header stays as it is, whatever newer compilers come to dislike.
            "-Wno-error",
            "-fvisibility=hidden",
            "-DCODEC_HEADER='\"%s/%s_heap.h\"'" % (native.package_name(), name),
        ],
        linkshared = True,
        visibility = ["//tests/handover:__pkg__"],
        deps = [
            ":%s_heap" % name,
            "//tests/handover:codec",
        ],
    )
