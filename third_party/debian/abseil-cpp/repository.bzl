"""abseil-cpp from Debian's package libabsl-dev.

One cc_library for each pkg-config file that targets.bzl knows and that this release
of Debian has; targets.bzl gives them upstream's labels.
"""

load(":targets.bzl", "absl_pc_files")

# Prints the link line of each of its arguments that is installed.
_ASK = """for pc; do
  libs=$(pkg-config --libs "$pc" 2>/dev/null) && echo "$pc $libs"
done
true"""

_LIBRARY = """
cc_library(
    name = "{name}",
    linkopts = {libs},
)
"""

def _debian_absl_repository_impl(ctx):
    asked = ctx.execute(["sh", "-c", _ASK, "sh"] + absl_pc_files())
    if not asked.stdout.strip():
        fail("pkg-config knows no abseil-cpp: install Debian's packages libabsl-dev and " +
             "pkg-config")
    build = [
        'load("@rules_cc//cc:defs.bzl", "cc_library")\n',
        'package(default_visibility = ["//visibility:public"])\n',
    ]
    for line in asked.stdout.strip().splitlines():
        words = [word for word in line.split(" ") if word]
        build.append(_LIBRARY.format(name = words[0], libs = repr(words[1:])))
    ctx.file("WORKSPACE", "")
    ctx.file("BUILD.bazel", "\n".join(build))

debian_absl_repository = repository_rule(
    implementation = _debian_absl_repository_impl,
    doc = "Debian's abseil-cpp; the headers are in the compiler's own include path.",
)
