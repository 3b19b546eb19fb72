"""preload_library: an instance as the malloc of a program that exists already."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//instances:defs.bzl", "alcove_malloc")

def preload_library(name, prefix, config = "hosted", visibility = None):
    """Declares a shared object for LD_PRELOAD that needs nothing but libc.

    Generated targets:
      <name>: the shared object.
      <name without .so>_malloc: the alcove_malloc in it, with its own targets.

    Args:
      name: the shared object's name, which ends in ".so".
      prefix: as alcove_malloc takes it.
      config: as alcove_malloc takes it.
      visibility: of the shared object.
    """
    if not name.endswith(".so"):
        fail("preload_library(name = \"%s\"): write a name that ends in \".so\"." % name)
    malloc = name[:-len(".so")] + "_malloc"
    alcove_malloc(
        name = malloc,
        config = config,
        operators = Label("//instances/malloc:operators_for_preload"),
        prefix = prefix,
        visibility = ["//visibility:private"],
    )
    cc_binary(
        name = name,
        linkopts = [
            # Bazel names the C++ runtime, which is not for C programs to load.
            "-Wl,--as-needed",
            # Every relocation at load time: a lazy one would come in mid-malloc.
            "-Wl,-z,now",
            "-Wl,-z,defs",
            "-Wl,-soname," + name,
        ],
        linkshared = True,
        visibility = visibility,
        deps = [":" + malloc],
    )
