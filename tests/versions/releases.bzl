"""The frozen releases: version to the sha256 of alcove-<version>.tar.gz in this folder.

A line here and the archive are all that a new one takes: the repository and the tests in
both directions come of it. README.md says how a release is frozen.
"""

RELEASES = {
    "0.1.0": "443b828871234687f1903f0a7d45cfa95fc50a282292b918d7833869d667d0c0",
}

def archive_name(version):
    """Returns the file that holds a release."""
    return "alcove-%s.tar.gz" % version

def repository_name(version):
    """Returns the repository that holds a release: alcove_0_1 for 0.1.0, alcove_0_1_2."""
    if version.endswith(".0"):
        version = version[:-len(".0")]
    return "alcove_" + version.replace(".", "_")
