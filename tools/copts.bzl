"""Compiler options for Alcove's own packages."""

# By name in each package and not in .bazelrc, where they would reach third-party
# code too.  What a newer abseil-cpp deprecates, an older one may have alone.
ALCOVE_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-error=deprecated-declarations",
]
