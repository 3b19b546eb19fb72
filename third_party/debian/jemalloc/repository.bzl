"""jemalloc from Debian's package libjemalloc-dev."""

def _debian_jemalloc_repository_impl(ctx):
    asked = ctx.execute(["pkg-config", "--libs", "jemalloc"])
    if asked.return_code != 0:
        fail("pkg-config knows no jemalloc: install Debian's packages libjemalloc-dev and " +
             "pkg-config\n" + asked.stderr)
    ctx.file("WORKSPACE", "")
    ctx.file("BUILD.bazel", """load("@rules_cc//cc:defs.bzl", "cc_library")

# A program that calls only malloc and free names nothing of jemalloc's, and a
# linker that drops unneeded libraries would leave glibc's malloc in charge.
cc_library(
    name = "jemalloc",
    linkopts = ["-Wl,--push-state,--no-as-needed"] + {libs} + ["-Wl,--pop-state"],
    visibility = ["//visibility:public"],
)
""".format(libs = repr(asked.stdout.strip().split(" "))))

debian_jemalloc_repository = repository_rule(
    implementation = _debian_jemalloc_repository_impl,
    doc = "A cc_library `jemalloc` that makes jemalloc the malloc of every program it is in.",
)
