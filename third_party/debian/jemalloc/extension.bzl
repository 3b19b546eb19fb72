"""repository.bzl for MODULE.bazel; Bazel 4.2 knows no extensions and never loads this."""

load(":repository.bzl", "debian_jemalloc_repository")

def _sources_impl(_ctx):
    debian_jemalloc_repository(name = "debian_jemalloc")

sources = module_extension(implementation = _sources_impl)
