"""Tests of the logic behind the arguments that need no target: prefixes, knobs, presets."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//core:knobs.bzl", "KNOBS", "PRESETS")
load("//instances/private:config.bzl", "allowed_externals", "resolve_config")
load("//instances/private:prefix.bzl", "prefix_error", "prefix_namespace")
load("//instances/private:reserved.bzl", "CXX_KEYWORDS", "LIBC_NAMES")

def _prefixes_test_impl(ctx):
    env = unittest.begin(ctx)
    for prefix in ["a_", "render_", "Render2_", "my_render_heap_", "stdx_", "indexer_"]:
        asserts.equals(env, None, prefix_error(prefix))
    for word in CXX_KEYWORDS + LIBC_NAMES + ["std", "std17", "posix"]:
        asserts.true(env, prefix_error(word + "_"), word)
        asserts.true(env, word and " " not in word, "an empty word in reserved.bzl")

    # What a sentence proposes has to be right itself.
    for prefix in ["new_", "index_", "std_", "_render_", "my__render_", "render"]:
        proposed = prefix_error(prefix).rpartition("\"")[0].rpartition("\"")[2]
        asserts.equals(env, None, prefix_error(proposed))
    asserts.equals(env, "my_render", prefix_namespace("my_render_"))
    return unittest.end(env)

prefixes_test = unittest.make(_prefixes_test_impl)

def _schema_test_impl(ctx):
    env = unittest.begin(ctx)
    for name, knob in KNOBS.items():
        asserts.true(env, knob["type"] in ("int", "bool", "choice"), name)
        asserts.true(env, knob.get("doc"), name + " has no doc")
        values, error = resolve_config({name: knob["default"]}, KNOBS, PRESETS)
        asserts.equals(env, None, error)
        asserts.equals(env, sorted(KNOBS), sorted(values))
        for value in knob.get("externals", {}):
            known = [str(choice) for choice in knob.get("choices", [True, False])]
            asserts.true(env, value in known, "%s: externals of %s" % (name, value))
    asserts.equals(env, {}, PRESETS["default"])
    for preset, changes in PRESETS.items():
        values, error = resolve_config(preset, KNOBS, PRESETS)
        asserts.equals(env, None, error)
        for name, value in changes.items():
            asserts.equals(env, value, values[name])
    return unittest.end(env)

schema_test = unittest.make(_schema_test_impl)

def _config_test_impl(ctx):
    env = unittest.begin(ctx)
    knobs = {
        "level": {"type": "int", "default": 1, "min": 0, "max": 1 << 32},
        "mode": {
            "type": "choice",
            "default": "a",
            "choices": ["a", "b"],
            "externals": {"b": ["z", "y"]},
        },
        "on": {"type": "bool", "default": False, "externals": {"True": ["x", "y"]}},
    }
    presets = {"default": {}, "b": {"level": 2, "mode": "b"}}

    # The dict's knobs win over the preset's, and those over the defaults.
    values, _ = resolve_config({"preset": "b", "level": 1 << 32}, knobs, presets)
    asserts.equals(env, {"level": 1 << 32, "mode": "b", "on": False}, values)
    asserts.equals(env, ["y", "z"], allowed_externals(values, knobs))

    # Without a preset, the dict is over `default`; only what is on needs symbols.
    values, _ = resolve_config({"on": True}, knobs, presets)
    asserts.equals(env, {"level": 1, "mode": "a", "on": True}, values)
    asserts.equals(env, ["x", "y"], allowed_externals(values, knobs))
    values, _ = resolve_config("default", knobs, presets)
    asserts.equals(env, [], allowed_externals(values, knobs))
    return unittest.end(env)

config_test = unittest.make(_config_test_impl)
