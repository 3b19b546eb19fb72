"""What Alcove's users load."""

load("//instances/private:config_header.bzl", _alcove_config_header = "alcove_config_header")
load("//instances/private:instance.bzl", _alcove_instance = "alcove_instance")
load("//instances/private:malloc.bzl", _alcove_malloc = "alcove_malloc")

alcove_config_header = _alcove_config_header
alcove_instance = _alcove_instance
alcove_malloc = _alcove_malloc
