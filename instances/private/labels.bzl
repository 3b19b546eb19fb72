"""Labels as text that every version of Bazel writes alike."""

def label_text(label):
    """Returns "//package:name", with "@repository" before it outside the main one."""
    repository = "@" + label.workspace_name if label.workspace_name else ""
    return "%s//%s:%s" % (repository, label.package, label.name)
