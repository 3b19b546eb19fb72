"""Checks a user's `config` against a core's knob schema.

The schema comes from the core that is stamped, which may be an older release's, so this
runs in the rules, not in the macros. core/knobs.bzl says what a knob is made of.
"""

def argument_error(config):
    """Says what is wrong with the type of a macro's `config` argument.

    Args:
      config: whatever the user wrote.

    Returns:
      One sentence that says what to write instead, or None if json.encode can take it.
    """
    instead = "write a preset's name such as \"default\", or a dict of knobs"
    if type(config) == "string":
        return None
    if type(config) != "dict":
        return "config is of type %s; %s" % (type(config), instead)
    for knob, value in config.items():
        if type(knob) != "string":
            return "config has the key %r, which is no knob; write knobs' names as strings" % knob
        if type(value) not in ("bool", "int", "string"):
            return "knob %s is of type %s; write an int, a bool or a string" % (knob, type(value))
    return None

def _one_of(words):
    return "write one of: " + ", ".join(sorted(words))

def _pairs(word):
    padded = "^" + word + "$"
    return [padded[i:i + 2] for i in range(len(padded) - 1)]

def _nearest(word, candidates):
    """Returns the candidate with the most pairs of letters in common, or None."""
    best, best_score = None, 0
    pairs = _pairs(word)
    for candidate in sorted(candidates):
        theirs = _pairs(candidate)
        shared = len([pair for pair in pairs if pair in theirs])
        score = 200 * shared // (len(pairs) + len(theirs))
        if score > best_score:
            best, best_score = candidate, score
    return best if best_score >= 50 else None

def _unknown(kind, word, candidates):
    near = _nearest(word, candidates)
    hint = "did you mean \"%s\"? " % near if near else ""
    return "%s %s is not known; %s%s" % (kind, json.encode(word), hint, _one_of(candidates))

def _value_error(name, schema, value):
    shown = json.encode(value)
    if schema["type"] == "bool":
        if type(value) != "bool":
            return "knob %s is %s; write True or False" % (name, shown)
    elif schema["type"] == "int":
        low, high = schema["min"], schema["max"]
        if type(value) != "int" or value < low or value > high:
            return "knob %s is %s; write a whole number from %d to %d" % (name, shown, low, high)
        multiple_of = schema.get("multiple_of", 1)
        if value % multiple_of != 0:
            return "knob %s is %s; write a multiple of %d" % (name, shown, multiple_of)
    elif value not in schema["choices"]:
        return "knob %s is %s; %s" % (name, shown, _one_of(
            [json.encode(choice) for choice in schema["choices"]],
        ))
    return None

def resolve_config(config, knobs, presets):
    """Works out the value of every knob.

    Args:
      config: a preset's name, or a dict of knobs that may name its "preset".
      knobs: the core's schema.
      presets: the core's presets.

    Returns:
      A pair: a dict with a value for every knob of the schema, and None; or None, and one
      sentence that says what is wrong and what to write instead.
    """
    changes = {}
    preset = config
    if type(config) == "dict":
        changes = dict(config)
        preset = changes.pop("preset", "default")
    if type(preset) != "string":
        return None, "preset is %s; %s" % (json.encode(preset), _one_of(presets))
    if preset not in presets:
        return None, _unknown("preset", preset, presets)

    values = {name: schema["default"] for name, schema in knobs.items()}
    for source in (presets[preset], changes):
        for name, value in source.items():
            if name not in knobs:
                return None, _unknown("knob", name, knobs)
            error = _value_error(name, knobs[name], value)
            if error:
                return None, error
            values[name] = value
    return values, None

def _of_values(values, knobs, key):
    found = {}
    for name, value in values.items():
        for word in knobs[name].get(key, {}).get(str(value), []):
            found[word] = True
    return found.keys()

def allowed_externals(values, knobs):
    """Returns the undefined symbols that an instance with these values may have, sorted."""
    return sorted(_of_values(values, knobs, "externals"))

def knob_copts(values, knobs):
    """Returns the flags that these values add, in order."""
    return list(_of_values(values, knobs, "copts"))

def lacking_names(values, knobs):
    """Returns the public names that an instance with these values lacks, sorted."""
    return sorted(_of_values(values, knobs, "lacks"))
