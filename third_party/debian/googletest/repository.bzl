"""GoogleTest, compiled from the sources that Debian's package googletest installs."""

_SOURCES = "/usr/src/googletest"

def _debian_googletest_repository_impl(ctx):
    for part in ["googletest", "googlemock"]:
        for folder in ["include", "src"]:
            source = ctx.path("{}/{}/{}".format(_SOURCES, part, folder))
            if not source.exists:
                fail("{} is missing: install Debian's package googletest".format(source))
            ctx.symlink(source, part + "/" + folder)
    ctx.file("WORKSPACE", "")
    ctx.symlink(ctx.attr._build_file, "BUILD.bazel")

debian_googletest_repository = repository_rule(
    implementation = _debian_googletest_repository_impl,
    attrs = {"_build_file": attr.label(default = Label("//:sources.BUILD.bazel"))},
    doc = "Debian's GoogleTest sources with sources.BUILD.bazel as BUILD file.",
)
