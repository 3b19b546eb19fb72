"""The release this tree is; MODULE.bazel's version must agree."""

ALCOVE_VERSION = "0.2.0"
