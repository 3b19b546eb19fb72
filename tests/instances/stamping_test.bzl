"""Tests of the actions that stamping declares."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//instances/private:cc.bzl", "cc_info")

def _actions(env, mnemonic):
    return [a for a in analysistest.target_actions(env) if a.mnemonic == mnemonic]

def _audited_test_impl(ctx):
    """What users link is what the audit let pass, and nothing goes round it."""
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    audits = _actions(env, "AlcoveAudit")
    archives = _actions(env, "AlcoveArchive")
    asserts.equals(env, 1, len(audits))
    asserts.equals(env, 1, len(archives))
    audited = [f for f in audits[0].outputs.to_list() if f.extension == "o"]
    archived = [f for f in archives[0].inputs.to_list() if f.extension == "o"]
    asserts.equals(env, 1, len(audited))
    asserts.equals(env, audited, archived)

    libraries = archives[0].outputs.to_list()
    linked = [
        library
        for linker_input in target[cc_info].linking_context.linker_inputs.to_list()
        for library in linker_input.libraries
    ]
    asserts.equals(env, 1, len(linked))
    asserts.equals(env, libraries, [linked[0].pic_static_library])
    asserts.equals(env, None, linked[0].static_library)
    asserts.equals(env, None, linked[0].dynamic_library)
    asserts.equals(env, libraries, target[DefaultInfo].files.to_list())
    asserts.equals(env, audited, target[OutputGroupInfo].object.to_list())
    return analysistest.end(env)

audited_test = analysistest.make(_audited_test_impl)

def _naming_test_impl(ctx):
    """The header lies at "<package>/<name>.h", and nothing of the core's can be included."""
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    context = target[cc_info].compilation_context
    headers = context.headers.to_list()
    name = target.label.name
    asserts.equals(env, ["tests/instances/%s.h" % name], [h.short_path for h in headers])
    include_dirs = context.quote_includes.to_list()
    asserts.equals(env, [headers[0].path], [
        "%s/tests/instances/%s.h" % (folder, name)
        for folder in include_dirs
    ])
    asserts.equals(env, [], context.includes.to_list() + context.system_includes.to_list())
    asserts.equals(env, [], context.defines.to_list())
    return analysistest.end(env)

naming_test = analysistest.make(_naming_test_impl)

def _inline_naming_test_impl(ctx):
    """A core with inlined paths has a second header, beside the first."""
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    context = target[cc_info].compilation_context
    expected = ["tests/instances/%s%s" % (target.label.name, s) for s in [".h", "_inline.h"]]
    asserts.equals(env, expected, [h.short_path for h in context.headers.to_list()])
    asserts.equals(
        env,
        expected,
        [h.short_path for h in target[OutputGroupInfo].header.to_list()],
    )
    return analysistest.end(env)

inline_naming_test = analysistest.make(_inline_naming_test_impl)

_FOREIGN = ["-DFOREIGN", "-DNDEBUG", "--coverage", "-fprofile-arcs", "-O3", "-O0"]

def _flags_test_impl(ctx):
    """The code is the same whatever flags the program around it is built with."""
    env = analysistest.begin(ctx)
    compiles = _actions(env, "AlcoveCompile")
    asserts.equals(env, 2, len(compiles))
    for action in compiles:
        for flag in action.argv:
            asserts.false(env, flag in _FOREIGN, "%s reached the compiler" % flag)
            asserts.false(
                env,
                flag.startswith("-fsanitize=") or flag.startswith("-flto"),
                "%s reached the compiler" % flag,
            )
        asserts.true(env, "-O2" in action.argv)
        asserts.equals(
            env,
            action.outputs.to_list()[0].basename == "mem.o",
            "-fno-builtin" in action.argv,
        )
    return analysistest.end(env)

_FOREIGN_SETTINGS = {
    "//command_line_option:collect_code_coverage": True,
    "//command_line_option:copt": ["-DFOREIGN", "-fsanitize=address", "-O0"],
    "//command_line_option:cxxopt": ["-DFOREIGN", "-flto", "-O3"],
    "//command_line_option:features": ["asan", "thin_lto"],
}

flags_opt_test = analysistest.make(
    _flags_test_impl,
    config_settings = dict(
        _FOREIGN_SETTINGS,
        **{"//command_line_option:compilation_mode": "opt"}
    ),
)
flags_dbg_test = analysistest.make(
    _flags_test_impl,
    config_settings = dict(
        _FOREIGN_SETTINGS,
        **{"//command_line_option:compilation_mode": "dbg"}
    ),
)
