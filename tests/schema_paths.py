"""Which places of a schema's document differ, found the plain way."""

import msgspec


def leaves(value, path=()):
    """Every constraint of a schema's document by its place."""
    if not isinstance(value, dict):
        return {path: value}
    found = {}
    for key, each in value.items():
        found |= leaves(each, (*path, key))
    return found


def changed_paths(before, after):
    old, new = leaves(msgspec.to_builtins(before)), leaves(msgspec.to_builtins(after))
    return [path for path in {**old, **new} if old.get(path) != new.get(path)]
