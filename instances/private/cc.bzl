"""The C++ symbols of Bazel, in the one place that knows where they live.

Bazel 4.2 to 8 have them built in; from 9 on they come from @rules_cc//cc/common.
"""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", _find_cpp_toolchain = "find_cpp_toolchain")

_CcInfo = CcInfo
_cc_common = cc_common

cc_info = _CcInfo
cc = _cc_common
find_toolchain = _find_cpp_toolchain

# What a rule that calls find_toolchain declares.
CC_TOOLCHAINS = ["@bazel_tools//tools/cpp:toolchain_type"]
CC_TOOLCHAIN_ATTRS = {
    # Bazel 4.2 looks the toolchain up here.
    "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
}
