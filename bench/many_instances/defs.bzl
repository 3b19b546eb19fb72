"""many_instances: a program that has so many instances, and measures what they cost."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//instances:defs.bzl", "alcove_instance")
load("//tools:copts.bzl", "ALCOVE_COPTS")

def _prefix(i):
    return "many%d_" % i

def stamp_many(count, manual_from):
    """Declares the instances many0_heap, many1_heap and so on.

    Args:
      count: how many.
      manual_from: those from here on are built only for what needs them.
    """
    for i in range(count):
        alcove_instance(
            name = "many%d_heap" % i,
            prefix = _prefix(i),
            tags = ["manual"] if i >= manual_from else [],
        )

def _instance_list_impl(ctx):
    ctx.actions.write(
        output = ctx.outputs.out,
        content = "".join(["INSTANCE(%s)\n" % prefix for prefix in ctx.attr.prefixes]),
    )

# Writes a line INSTANCE(prefix) for each.
_instance_list = rule(
    implementation = _instance_list_impl,
    attrs = {
        "out": attr.output(mandatory = True),
        "prefixes": attr.string_list(mandatory = True),
    },
)

def many_instances(name, count, **kwargs):
    """Declares a program that links the first `count` of the instances.

    Generated targets:
      <name>: the program.
      <name>_list: "<name>_list.inc", which the program includes.

    Args:
      name: the program's name.
      count: how many instances it has.
      **kwargs: what else every rule has.
    """
    _instance_list(
        name = name + "_list",
        out = name + "_list.inc",
        prefixes = [_prefix(i) for i in range(count)],
        tags = ["manual"],
    )
    cc_binary(
        name = name,
        srcs = [
            "many.cc",
            name + "_list.inc",
        ],
        copts = ALCOVE_COPTS + ["-O2"],
        data = [":many0_object"],
        linkopts = ["-lpthread"],
        local_defines = [
            "INSTANCE_LIST=\\\"%s/%s_list.inc\\\"" % (native.package_name(), name),
        ],
        deps = [":elf_size"] + [":many%d_heap" % i for i in range(count)],
        **kwargs
    )
