"""Every frozen release, stamped by today's macro, and today's core by its."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("@frozen_releases//:index.bzl", "FROZEN")
load("@rules_cc//cc:defs.bzl", "cc_test")
load("//:version.bzl", "ALCOVE_VERSION")
load("//core:alcove_core.bzl", "CORE_INTERFACE")
load("//instances:defs.bzl", "alcove_instance")
load("//tools:copts.bzl", "ALCOVE_COPTS")
load(":releases.bzl", "archive_name")

# Part of every release.
_PRESETS = [
    "debug",
    "default",
    "hosted",
]

def _refused_test_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.expect_failure(env, "is version %s and needs build interface %s" % (
        ALCOVE_VERSION,
        CORE_INTERFACE,
    ))
    return analysistest.end(env)

_refused_test = analysistest.make(_refused_test_impl, expect_failure = True)

def _version_test(name, stamp, core, preset, version):
    """Stamps a core with a macro and tests it beside an instance of today's."""
    stamp(
        name = name + "_heap",
        testonly = True,
        config = preset,
        core = core,
        prefix = name + "_",
    )
    header = "%s/%s_heap" % (native.package_name(), name)
    cc_test(
        name = name + "_test",
        size = "small",
        srcs = ["version_test.cc"],
        copts = ALCOVE_COPTS + [
            # A frozen header stays as it is, whatever newer compilers come to dislike.
            "-Wno-error",
            "-DSUBJECT_HEADER='\"%s.h\"'" % header,
            "-DSUBJECT_INLINE_HEADER='\"%s_inline.h\"'" % header,
            "-DSUBJECT_NAMESPACE=" + name,
            "-DSUBJECT_PREFIX=%s_" % name,
            "-DSUBJECT_VERSION='\"%s\"'" % version,
            "-DTODAYS_VERSION='\"%s\"'" % ALCOVE_VERSION,
        ],
        deps = [
            ":today_heap",
            ":%s_heap" % name,
            "@com_google_googletest//:gtest_main",
        ],
    )

def _reverse_test(name, release):
    """Stamps today's core with a release's macro, which may be too old for it."""
    if release.interface == CORE_INTERFACE:
        _version_test(name, release.alcove_instance, "//core", "default", ALCOVE_VERSION)
        return
    release.alcove_instance(
        name = name + "_heap",
        testonly = True,
        core = "//core",
        prefix = name + "_",
        tags = ["manual"],
    )
    _refused_test(
        name = name + "_test",
        target_under_test = ":%s_heap" % name,
    )

def version_tests(name):
    """Tests every release of releases.bzl against this tree, in both directions.

    Generated targets:
      <name>: all the tests.
      today_heap: an instance of this tree.
      v<version>_<preset>_test: that release's core, stamped by this tree's macro.
      today_by_v<version>_test: this tree's core, stamped by that release's macro; or, once
        the core needs a newer interface than that release's, refused by it.

    Args:
      name: the suite's name.
    """
    for archive in native.glob(["*.tar.gz"]):
        if archive not in [archive_name(version) for version in FROZEN]:
            fail("%s has no line in tests/versions/releases.bzl: write one." % archive)
    alcove_instance(
        name = "today_heap",
        testonly = True,
        prefix = "today_",
    )
    tests = []
    for version, release in FROZEN.items():
        word = "v" + version.replace(".", "_")
        for preset in _PRESETS:
            test = "%s_%s" % (word, preset)
            _version_test(test, alcove_instance, release.core, preset, version)
            tests.append(test + "_test")
        _reverse_test("today_by_" + word, release)
        tests.append("today_by_%s_test" % word)
    native.test_suite(
        name = name,
        tests = [":" + test for test in tests],
    )
