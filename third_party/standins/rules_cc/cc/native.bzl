"""Bazel 4.2's own C++ globals under names that defs.bzl can export again."""

NativeCcInfo = CcInfo
NativeCcToolchainConfigInfo = CcToolchainConfigInfo
NativeDebugPackageInfo = DebugPackageInfo
native_cc_common = cc_common
