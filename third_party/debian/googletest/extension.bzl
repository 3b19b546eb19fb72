"""repository.bzl for MODULE.bazel; Bazel 4.2 knows no extensions and never loads this."""

load(":repository.bzl", "debian_googletest_repository")

def _sources_impl(_ctx):
    debian_googletest_repository(name = "debian_googletest")

sources = module_extension(implementation = _sources_impl)
