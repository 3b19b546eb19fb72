"""The scenarios over the core's source, and over each mutant of it."""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("//instances:defs.bzl", "alcove_config_header")
load("//tools:copts.bzl", "ALCOVE_COPTS")

# The compiler tells of each plain access, and the model, not the sanitizer's library,
# listens. Objects that stand in for the core's are not what another one would expect.
MODELLED_COPTS = ALCOVE_COPTS + [
    "-O1",
    "-fno-sanitize=undefined",
    "-fsanitize=thread",
    "-include",
    "tests/model/atomic.h",
]

# Which file each mutant of mutants.txt is of, by the protocol whose scenarios are to catch
# it.
MUTANTS = {
    "combiner": {
        "any_first": "heap/combiner.h",
        "asks_the_ticket_first": "heap/combiner.h",
        "clears_anybodys": "heap/combiner.h",
        "does_it_always_anew": "heap/combiner.h",
        "forgets_what_was_in_hand": "heap/combiner.h",
        "gets_in_without_exchange": "heap/combiner.h",
        "leaves_without_looking": "heap/combiner.h",
        "looks_once": "heap/combiner.h",
        "own_before_others": "heap/combiner.h",
        "posts_and_goes": "heap/combiner.h",
        "posts_before_it_fills_in": "heap/combiner.h",
        "reads_a_slot_once": "heap/combiner.h",
        "reads_while_it_is_published": "heap/combiner.h",
        "takes_a_filled_slot": "heap/combiner.h",
        "unmarked_in_hand": "heap/combiner.h",
        "version_after_the_mark": "heap/combiner.h",
    },
    "ending": {
        "b_before_a": "arena/ending.h",
        "counts_the_missing_out": "arena/ending.h",
        "counts_without_exchange": "arena/ending.h",
        "does_not_hear_who_took_it": "arena/ending.h",
        "does_not_look_after": "arena/ending.h",
        "does_not_look_before": "arena/ending.h",
        "does_not_wait": "arena/ending.h",
        "ends_without_exchange": "arena/ending.h",
        "goes_on_ending": "heap/tenancy.h",
        "looks_at_its_own_process": "heap/tenancy.h",
        "no_step_b": "arena/ending.h",
        "not_left": "arena/ending.h",
        "says_nothing": "arena/ending.h",
        "says_nothing_without_a_heap": "arena/ending.h",
        "waits_for_the_dead": "arena/ending.h",
    },
    "fork_generation": {
        "counts_from_its_own": "base/fork_generation.h",
        "forgets_the_generation": "base/fork_generation.h",
        "remembers_before_it_marks": "base/fork_generation.h",
        "takes_the_wiped_page": "base/fork_generation.h",
    },
    "private_break": {
        "dirty_behind_the_end": "region/break.cc",
        "moves_the_end_unmarked": "region/break.cc",
        "nobody_before_unmarked": "region/break.cc",
        "succeeds_unmarked": "region/break.cc",
        "succeeds_without_exchange": "region/break.cc",
    },
    "remote": {
        "always_clears_pending": "heap/remote.cc",
        "announces_twice": "heap/remote.h",
        "announces_without_exchange": "heap/remote.h",
        "bits_without_exchange": "slab/slab.cc",
        "c_before_b": "heap/remote.h",
        "d_before_b": "heap/remote.h",
        "forgets_the_rest": "heap/remote.cc",
        "heir_does_not_send_on": "heap/remote.cc",
        "heir_sends_own_off_hand": "heap/remote.cc",
        "marked_before_the_mark": "heap/remote.h",
        "marked_until_the_next": "heap/remote.h",
        "never_clears_pending": "heap/remote.cc",
        "no_mark": "heap/remote.cc",
        "no_step_c": "heap/remote.h",
        "off_hand_before_c": "heap/remote.h",
        "pops_one_by_one": "heap/remote.h",
        "rest_after_taking": "heap/remote.h",
        "rest_before_at_hand": "heap/remote.h",
        "same_again": "heap/remote.cc",
        "stack_was_taken": "heap/remote.cc",
        "step_2_before_1": "heap/remote.h",
        "step_3_before_2": "heap/remote.h",
        "takes_anybodys": "heap/remote.h",
    },
    "tenancy": {
        "asks_nobody": "heap/tenancy.h",
        "cleans_up_the_living": "heap/tenancy.h",
        "count_starts_anew": "heap/tenancy.h",
        "heirs_of_parents": "heap/tenancy.h",
        "no_count": "heap/tenancy.h",
        "renews_the_process_first": "heap/tenancy.h",
        "takes_unsettled": "heap/tenancy.h",
        "takes_without_exchange": "heap/tenancy.h",
    },
}

def _cases(name, protocol, prefix, mutant, file, mutated):
    alcove_config_header(
        name = name + "_config",
        testonly = True,
        config = "default",
        prefix = prefix,
    )
    sources = {
        "heap/remote.cc": "core/heap/remote.cc",
        "region/break.cc": "core/region/break.cc",
        "slab/slab.cc": "core/slab/slab.cc",
    }
    copts = []
    if file in sources:
        sources[file] = mutated
    elif file:
        copts = [
            "-include",
            mutated,
        ]
    cc_library(
        name = name,
        testonly = True,
        srcs = [protocol + "_cases.cc"],
        hdrs = [
            "cases.h",
            "//core:hdrs",
            "//platform:hdrs",
        ] + ([":mutant_" + mutant] if mutant else []),
        copts = MODELLED_COPTS + copts + (["-Wno-error"] if mutant else []),
        linkstatic = True,
        local_defines = [
            # memset is a function of the core's own, which the model hears of.
            "ALCOVE_CORE_BASE_MEM_H_",
            "memset=model_memset",
            'ALCOVE_MODEL_MUTANT=\\"%s\\"' % mutant,
            'ALCOVE_MODEL_BREAK_CC=\\"%s\\"' % sources["region/break.cc"],
            'ALCOVE_MODEL_REMOTE_CC=\\"%s\\"' % sources["heap/remote.cc"],
            'ALCOVE_MODEL_SLAB_CC=\\"%s\\"' % sources["slab/slab.cc"],
        ],
        tags = ["manual"] if mutant else [],
        textual_hdrs = ["//core:srcs"],
        deps = [
            ":model",
            ":%s_config" % name,
        ],
        alwayslink = True,
    )

def model_cases(protocol):
    """Compiles the scenarios of a protocol, and compiles them anew for each mutant.

    Generated targets:
      <protocol>_cases: a cc_library, with the source as it is.
      <protocol>_mutants: a cc_library, with all mutants.
      <mutant>: one of them.
      mutant_<mutant>: its changed file.

    Args:
      protocol: the scenarios are in <protocol>_cases.cc.
    """
    _cases(protocol + "_cases", protocol, protocol + "_", "", "", "")
    for mutant, file in MUTANTS[protocol].items():
        changed = "mutants/%s/%s" % (mutant, file.split("/")[1])
        native.genrule(
            name = "mutant_" + mutant,
            testonly = True,
            srcs = [
                "mutants.txt",
                "//core:" + file,
            ],
            outs = [changed],
            cmd = "$(execpath :mutate) $(execpath mutants.txt) %s $(execpath //core:%s) $@" %
                  (mutant, file),
            tools = [":mutate"],
        )
        _cases(mutant, protocol, mutant + "_", mutant, file, "tests/model/" + changed)
    cc_library(
        name = protocol + "_mutants",
        testonly = True,
        tags = ["manual"],
        deps = [":" + mutant for mutant in MUTANTS[protocol]],
    )
