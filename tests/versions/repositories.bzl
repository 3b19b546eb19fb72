"""Repositories of the frozen releases, without a network."""

load(":releases.bzl", "RELEASES", "archive_name", "repository_name")

def _frozen_release_impl(ctx):
    # http_archive would do the same, but for where this checkout lies: a URL needs the
    # whole path, and a WORKSPACE or MODULE.bazel file does not know it.
    ctx.download_and_extract(
        sha256 = ctx.attr.sha256,
        stripPrefix = "alcove-" + ctx.attr.version,
        url = "file://%s" % ctx.path(ctx.attr.archive),
    )

_frozen_release = repository_rule(
    implementation = _frozen_release_impl,
    attrs = {
        "archive": attr.label(
            allow_single_file = True,
            mandatory = True,
            doc = "What tools/release wrote.",
        ),
        "sha256": attr.string(
            mandatory = True,
            doc = "The archive's.",
        ),
        "version": attr.string(
            mandatory = True,
            doc = "The release, which the archive's folder is named after.",
        ),
    },
    doc = "One release as it was, for `alcove_instance(core = \"@<name>//core\")`.",
)

_RELEASE = """    "{version}": struct(
        alcove_instance = _{repository}_instance,
        core = Label("@{repository}//core"),
        interface = _{repository}_interface,
    ),
"""

_LOADS = """load("@{repository}//core:alcove_core.bzl", _{repository}_interface = "CORE_INTERFACE")
load("@{repository}//instances:defs.bzl", _{repository}_instance = "alcove_instance")
"""

def _frozen_releases_index_impl(ctx):
    releases = [
        dict(repository = repository_name(version), version = version)
        for version in ctx.attr.versions
    ]
    ctx.file("WORKSPACE", "")
    ctx.file("BUILD.bazel", "")
    ctx.file("index.bzl", "".join(
        [_LOADS.format(**release) for release in releases] +
        ["\nFROZEN = {\n"] +
        [_RELEASE.format(**release) for release in releases] +
        ["}\n"],
    ))

# A load names its repository in so many words; this one's are written from the list.
_frozen_releases_index = repository_rule(
    implementation = _frozen_releases_index_impl,
    attrs = {"versions": attr.string_list(mandatory = True)},
    doc = "index.bzl: FROZEN, version to a struct of a release's macro, core and interface.",
)

def frozen_releases():
    """Declares a repository for each frozen release, and @frozen_releases, their index."""
    for version, sha256 in RELEASES.items():
        _frozen_release(
            name = repository_name(version),
            archive = Label("//tests/versions:" + archive_name(version)),
            sha256 = sha256,
            version = version,
        )
    _frozen_releases_index(
        name = "frozen_releases",
        versions = RELEASES.keys(),
    )
