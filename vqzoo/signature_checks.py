"""Checks of values of a configuration against types and against signatures of classes."""

import inspect

from vqzoo.checks import nearest, shown

NUMBER = (int, float)
"""Types of a number that may be written with or without a point."""


def check_type(name, value, expected):
    """Checks one value; `expected` is a type or a tuple of types. A bool is no number here.

    Raises:
        ValueError: calling the value `name`, if it is of none of them.
    """
    expected = expected if isinstance(expected, tuple) else (expected,)
    if isinstance(value, expected) and not (isinstance(value, bool) and bool not in expected):
        return
    hint = " (in YAML 2e-4 is a string: write 2.0e-4)" if float in expected else ""
    right = " or ".join(kind.__name__ for kind in expected)
    raise ValueError(f"`{name}` must be of type {right}{hint}. Received: {shown(value)}")


def check_arguments(where, mapping, families, given):
    """Checks `{family: NAME, argument: value, ...}` against what builds that family.

    Args:
        where: str, the mapping's dotted name.
        mapping: the mapping.
        families: dict of name to class; a class method `for_latents`, where there is one, builds it.
        given: arguments that do not come from a configuration.

    Raises:
        ValueError: naming the family or the argument, what would be right and what was received.
    """
    family = mapping.get("family")
    if not isinstance(family, str) or family not in families:
        raise ValueError(
            f"`{where}.family` must be one of {', '.join(families)}. Received: {shown(family)}"
        )
    arguments = {key: value for key, value in mapping.items() if key != "family"}
    check_signature(where, arguments, families[family], given)


def check_signature(where, arguments, kind, given):
    """Checks arguments by name against what builds the class `kind`; else as `check_arguments`."""
    # The signatures themselves are the schema: an argument that a class gains is a key at once.
    builder = getattr(kind, "for_latents", kind)
    parameters = inspect.signature(builder).parameters.values()
    known = {p.name: p.default for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD}
    known = {name: default for name, default in known.items() if name not in given}
    for key, default in known.items():
        if default is inspect.Parameter.empty and key not in arguments:
            raise ValueError(
                f"a configuration needs `{where}.{key}` for a {kind.__name__}. "
                f"Received: {shown(list(arguments))}"
            )
    for key, value in arguments.items():
        if key not in known:
            hint = f"; did you mean {nearest(key, known)!r}?" if known else ", which takes none"
            raise ValueError(
                f"`{where}.{key}` is no argument of {kind.__name__}{hint}. "
                f"Received: {shown(value)}"
            )
        _check_like_default(f"{where}.{key}", value, known[key])


def _check_like_default(name, value, default):
    """Checks that `value` has the type of an argument's default; a float may be written as int."""
    # What has no default tells no type; its constructor checks it.
    if value is None or default is None or default is inspect.Parameter.empty:
        return
    if isinstance(default, (list, tuple)):
        check_type(name, value, (list, tuple))
    elif isinstance(default, (bool, int, float, str)):
        check_type(name, value, NUMBER if isinstance(default, float) else type(default))
