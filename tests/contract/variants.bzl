"""The configurations that every suite of the contract runs over."""

load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")
load("//instances:defs.bzl", "alcove_instance")
load("//tools:copts.bzl", "ALCOVE_COPTS")

# One entry a variant: what alcove_instance takes as `config`. A new one is a line here.
VARIANTS = {
    # With a thread that purges, all the time.
    "background": {
        "background_purge": True,
        "purge_delay_ms": 1,
    },
    "debug": "debug",
    "default": "default",
    # Each call with all that makes mistakes show and attacks fail.
    "hardened": "hardened",
    "hosted": "hosted",
    # Each call on a level of its own.
    "signal": "async_signal_safe",
    # Everything as small as it goes: many ranges, no spans cached, each free purges. With
    # the code of the log, to which nobody listens.
    "tiny": {
        "cache_blocks_per_class": 8,
        "cache_bytes_per_class": 64,
        "cache_span_kib": 0,
        "commit_chunk_kib": 64,
        "log_level": "trace",
        "purge_delay_ms": 0,
        "purge_dirty_max_mib": 0,
        "region_reserve_mib": 4,
    },
}

# Those that differ from `default` in little: suites run over them where they say so.
_BY_REQUEST = [
    "background",
    "hardened",
    "hosted",
    "signal",
]

def _prefix(variant):
    return "contract_%s_" % variant

def subject_copts(variant):
    """Returns the definitions by which a source names the instance of a variant."""
    return [
        "-DSUBJECT_HEADER='\"tests/contract/%s_heap.h\"'" % variant,
        "-DSUBJECT_INLINE_HEADER='\"tests/contract/%s_heap_inline.h\"'" % variant,
        "-DSUBJECT_NAMESPACE=" + _prefix(variant)[:-1],
        "-DSUBJECT_PREFIX=" + _prefix(variant),
    ]

def contract_subjects():
    """Stamps every variant.

    Generated targets, for each variant:
      <variant>_heap: the instance.
      <variant>_subject: the instance under the names of subject.h.
    """
    for variant, config in VARIANTS.items():
        alcove_instance(
            name = variant + "_heap",
            testonly = True,
            config = config,
            prefix = _prefix(variant),
            visibility = ["//tests:__subpackages__"],
        )
        cc_library(
            name = variant + "_subject",
            testonly = True,
            srcs = ["subject.cc"],
            copts = ALCOVE_COPTS + subject_copts(variant),
            deps = [
                ":subject",
                ":%s_heap" % variant,
            ],
            visibility = ["//tests:__subpackages__"],
        )

def contract_suite(
        name,
        srcs,
        copts = [],
        deps = [],
        per_variant = False,
        by_hand = [],
        also = [],
        only = None,
        **kwargs):
    """A suite that runs over every variant.

    Generated targets:
      <name>_<variant>: a cc_test.
      <name>: a test_suite of them.
      <name>_cases: the suite's code, compiled once.

    Args:
      name: the suite's name.
      srcs: its files; they use subject.h.
      copts: flags besides the project's.
      deps: what the suite needs besides GoogleTest.
      per_variant: whether the files name the instance itself, by the definitions of
        subject_copts, and so are compiled for each variant.
      by_hand: variants over which it runs only where it is named.
      also: variants of _BY_REQUEST over which it runs, too.
      only: the variants over which it runs, if not all of them.
      **kwargs: size, shard_count and what else every test has.
    """
    deps = deps + [
        "//tests/contract",
        "@com_google_googletest//:gtest",
    ]
    if not per_variant:
        cc_library(
            name = name + "_cases",
            testonly = True,
            srcs = srcs,
            copts = ALCOVE_COPTS + copts,
            deps = deps,
            visibility = ["//tests:__subpackages__"],
            alwayslink = True,
        )
    tags = kwargs.pop("tags", [])
    if kwargs.get("size") == "small":
        # A minute is short on a machine that does more.
        kwargs.setdefault("timeout", "moderate")
    variants = only or [v for v in VARIANTS if v not in _BY_REQUEST or v in also]
    for variant in variants:
        cc_test(
            name = "%s_%s" % (name, variant),
            srcs = srcs if per_variant else [],
            copts = (ALCOVE_COPTS + copts + subject_copts(variant)) if per_variant else [],
            deps = [
                "//tests/contract:%s_heap" % variant,
                "//tests/contract:%s_subject" % variant,
                "@com_google_googletest//:gtest_main",
            ] + (deps if per_variant else [":%s_cases" % name]),
            tags = tags + (["manual"] if variant in by_hand else []),
            **kwargs
        )
    native.test_suite(
        name = name,
        tests = [":%s_%s" % (name, v) for v in variants if v not in by_hand],
    )
