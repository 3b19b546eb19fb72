"""Each argument that alcove_instance refuses, and the sentence it refuses it with."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//:version.bzl", "ALCOVE_VERSION")
load("//core:alcove_core.bzl", "CORE_INTERFACE")
load("//instances:defs.bzl", "alcove_config_header", "alcove_instance")
load("//instances/private:core_info.bzl", "INTERFACES")
load("//tests/instances/toy:core.bzl", "toy_core")

_TOY = "//tests/instances/toy"

_FUTURE_INTERFACE = str(int(CORE_INTERFACE) + 1)

def _refused_test_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.expect_failure(env, "//%s:%s: %s." % (
        ctx.label.package,
        analysistest.target_under_test(env).label.name,
        ctx.attr.sentence,
    ))
    return analysistest.end(env)

_refused_test = analysistest.make(
    _refused_test_impl,
    attrs = {"sentence": attr.string()},
    expect_failure = True,
)

# name: (arguments over those of a good instance, the sentence)
_CASES = {
    "choice_unknown": (
        {"config": {"output": "file"}},
        "knob output is \"file\"; write one of: \"libc\", \"none\"",
    ),
    "choice_of_other_type": (
        {"config": {"output": 1}},
        "knob output is 1; write one of: \"libc\", \"none\"",
    ),
    "config_is_number": (
        {"config": 5},
        "config is of type int; write a preset's name such as \"default\", or a dict of knobs",
    ),
    "config_is_none": (
        {"config": None},
        "config is of type NoneType; write a preset's name such as \"default\", or a dict of " +
        "knobs",
    ),
    "config_key_is_number": (
        {"config": {5: 5}},
        "config has the key 5, which is no knob; write knobs' names as strings",
    ),
    "core_is_no_core": (
        {"core": "//tests/instances/toy:toy.cc"},
        "core //tests/instances/toy:toy.cc is not an alcove_core; write " +
        "\"@<alcove's repository>//core\"",
    ),
    "core_of_future": (
        {"core": ":future_core"},
        ("core //tests/instances:future_core is version 9.8.7 and needs build interface %s, but " +
         "this macro, of Alcove %s, knows only %s; load alcove_instance from Alcove 9.8.7 or " +
         "newer") % (_FUTURE_INTERFACE, ALCOVE_VERSION, " and ".join([", ".join(INTERFACES[:-1]), INTERFACES[-1]])),
    ),
    "knob_above_range": (
        {"config": {"depth": 11}},
        "knob depth is 11; write a whole number from 1 to 10",
    ),
    "knob_below_range": (
        {"config": {"depth": 0}},
        "knob depth is 0; write a whole number from 1 to 10",
    ),
    "knob_is_no_multiple": (
        {"config": {"commit_chunk_kib": 65}, "core": "//core"},
        "knob commit_chunk_kib is 65; write a multiple of 64",
    ),
    "knob_is_bool_not_int": (
        {"config": {"depth": True}},
        "knob depth is true; write a whole number from 1 to 10",
    ),
    "knob_is_int_not_bool": (
        {"config": {"eager": 1}},
        "knob eager is 1; write True or False",
    ),
    "knob_is_list": (
        {"config": {"depth": [1]}},
        "knob depth is of type list; write an int, a bool or a string",
    ),
    "knob_misspelt": (
        {"config": {"dept": 2}},
        "knob \"dept\" is not known; did you mean \"depth\"? write one of: depth, eager, output",
    ),
    "knob_unknown": (
        {"config": {"colour": 2}},
        "knob \"colour\" is not known; write one of: depth, eager, output",
    ),
    "budget_is_negative": (
        {"static_tls_bytes": -1},
        "static_tls_bytes is -1; write a number of bytes, 8 or more for most instances",
    ),
    "budget_is_text": (
        {"static_tls_bytes": "8"},
        "static_tls_bytes is \"8\"; write a number of bytes, 8 or more for most instances",
    ),
    "linkage_is_none": (
        {"linkage": None},
        "linkage is None; write \"plugin\" for a shared object that is closed again, else " +
        "\"program\"",
    ),
    "linkage_unknown": (
        {"linkage": "plug-in"},
        "linkage is \"plug-in\"; write \"plugin\" for a shared object that is closed again, " +
        "else \"program\"",
    ),
    "prefix_empty": (
        {"prefix": ""},
        "prefix is empty; write a C identifier that ends in an underscore, such as \"render_\"",
    ),
    "prefix_is_digit_first": (
        {"prefix": "3d_"},
        "prefix \"3d_\" starts with a digit; write a C identifier that ends in an underscore, " +
        "such as \"render_\"",
    ),
    "prefix_is_keyword": (
        {"prefix": "new_"},
        "prefix \"new_\" makes the namespace `new`, which is a C++ keyword; write a longer one, " +
        "such as \"new_heap_\"",
    ),
    "prefix_is_libcs": (
        {"prefix": "index_"},
        "prefix \"index_\" makes the namespace `index`, which clashes with libc's index; write " +
        "a longer one, such as \"index_heap_\"",
    ),
    "prefix_is_none": (
        {"prefix": None},
        "prefix is of type NoneType; write a string such as \"render_\"",
    ),
    "prefix_is_standards": (
        {"prefix": "std2_"},
        "prefix \"std2_\" makes the namespace `std2`, which C++ reserves; write a longer one, " +
        "such as \"std2_heap_\"",
    ),
    "prefix_is_the_projects": (
        {"prefix": "alcove_"},
        "prefix \"alcove_\" is the project's own, and the one that two libraries would both " +
        "choose; write one named after your library, such as \"render_\"",
    ),
    "prefix_is_underscore": (
        {"prefix": "_"},
        "prefix \"_\" is nothing but underscores; write a C identifier that ends in an " +
        "underscore, such as \"render_\"",
    ),
    "prefix_starts_with_underscore": (
        {"prefix": "_render_"},
        "prefix \"_render_\" starts with an underscore, which C reserves; write \"render_\"",
    ),
    "prefix_used_twice": (
        {"prefix": "toy_"},
        "prefix \"toy_\" is already that of :toy_heap in this package; write one of its own, or " +
        "use that instance",
    ),
    "prefix_with_double_underscore": (
        {"prefix": "my__render_"},
        "prefix \"my__render_\" has two underscores in a row, which C++ reserves; write " +
        "\"my_render_\"",
    ),
    "prefix_with_hyphen": (
        {"prefix": "my-render_"},
        "prefix \"my-render_\" has \"-\" in it, which no C identifier can have; write a C " +
        "identifier that ends in an underscore, such as \"render_\"",
    ),
    "prefix_without_underscore": (
        {"prefix": "render"},
        "prefix \"render\" does not end in an underscore; write \"render_\"",
    ),
    "preset_is_number": (
        {"config": {"preset": 3}},
        "preset is 3; write one of: deep, default",
    ),
    "preset_in_dict_unknown": (
        {"config": {"preset": "dep"}},
        "preset \"dep\" is not known; did you mean \"deep\"? write one of: deep, default",
    ),
    "preset_unknown": (
        {"config": "fastest"},
        "preset \"fastest\" is not known; write one of: deep, default",
    ),
}

def _refused(name, macro, target, arguments, sentence):
    arguments = dict({"core": _TOY, "prefix": target + "_"}, **arguments)
    macro(
        name = target,
        tags = ["manual"],
        **arguments
    )
    _refused_test(
        name = name,
        sentence = sentence,
        target_under_test = ":" + target,
    )
    return ":" + name

def arguments_test_suite(name):
    """Tests that bad arguments fail in the analysis, with the sentence that says the cure.

    Generated targets:
      <name>: all of them.
      <case>_test: one of them.
      <case>: an instance with that bad argument, tagged manual.

    Args:
      name: the suite's name.
    """
    toy_core(
        name = "future_core",
        interface = _FUTURE_INTERFACE,
        tags = ["manual"],
    )
    tests = [
        _refused(case + "_test", alcove_instance, case, arguments, sentence)
        for case, (arguments, sentence) in _CASES.items()
    ] + [
        _refused(
            "headers_%s_test" % case,
            alcove_config_header,
            "headers_" + case,
            *_CASES[case]
        )
        for case in ["knob_misspelt", "config_is_number", "prefix_is_none", "prefix_without_underscore"]
    ]
    native.test_suite(
        name = name,
        tests = tests,
    )
