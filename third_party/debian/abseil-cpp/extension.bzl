"""repository.bzl for MODULE.bazel; Bazel 4.2 knows no extensions and never loads this."""

load(":repository.bzl", "debian_absl_repository")

def _sources_impl(_ctx):
    debian_absl_repository(name = "debian_absl")

sources = module_extension(implementation = _sources_impl)
