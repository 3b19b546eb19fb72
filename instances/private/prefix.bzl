"""Which prefixes an instance may have."""

load(":reserved.bzl", "CXX_KEYWORDS", "LIBC_NAMES")

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"

_EXAMPLE = "write a C identifier that ends in an underscore, such as \"render_\""

def _is_standard_namespace(word):
    return word == "posix" or (word.startswith("std") and not word[len("std"):].strip(_DIGITS))

def prefix_namespace(prefix):
    """Returns the C++ namespace of a valid prefix: the prefix without its underscore."""
    return prefix[:-1]

def prefix_error(prefix):
    """Says what is wrong with a prefix.

    Args:
      prefix: a string.

    Returns:
      One sentence that says what to write instead, or None if the prefix is fine.
    """
    shown = json.encode(prefix)
    if not prefix:
        return "prefix is empty; %s" % _EXAMPLE
    for c in prefix.elems():
        if c not in _LETTERS and c not in _DIGITS and c != "_":
            return "prefix %s has %s in it, which no C identifier can have; %s" % (
                shown,
                json.encode(c),
                _EXAMPLE,
            )
    if prefix[0] in _DIGITS:
        return "prefix %s starts with a digit; %s" % (shown, _EXAMPLE)
    if not prefix.endswith("_"):
        return "prefix %s does not end in an underscore; write \"%s_\"" % (shown, prefix)
    word = prefix_namespace(prefix)
    if not word.strip("_"):
        return "prefix %s is nothing but underscores; %s" % (shown, _EXAMPLE)
    if prefix[0] == "_":
        return "prefix %s starts with an underscore, which C reserves; write \"%s_\"" % (
            shown,
            prefix.strip("_"),
        )
    if "__" in prefix:
        return "prefix %s has two underscores in a row, which C++ reserves; write \"%s_\"" % (
            shown,
            "_".join([part for part in prefix.split("_") if part]),
        )
    instead = "write a longer one, such as \"%s_heap_\"" % word
    if word == "alcove":
        return ("prefix %s is the project's own, and the one that two libraries would both " +
                "choose; write one named after your library, such as \"render_\"") % shown
    if word in CXX_KEYWORDS:
        return "prefix %s makes the namespace `%s`, which is a C++ keyword; %s" % (
            shown,
            word,
            instead,
        )
    if _is_standard_namespace(word):
        return "prefix %s makes the namespace `%s`, which C++ reserves; %s" % (
            shown,
            word,
            instead,
        )
    if word in LIBC_NAMES:
        return "prefix %s makes the namespace `%s`, which clashes with libc's %s; %s" % (
            shown,
            word,
            word,
            instead,
        )
    return None
