"""repositories.bzl for MODULE.bazel; Bazel 4.2 knows no extensions and never loads this."""

load(":repositories.bzl", "frozen_releases")

def _versions_impl(_ctx):
    frozen_releases()

versions = module_extension(implementation = _versions_impl)
