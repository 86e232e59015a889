"""A domain with filterable fields of every kind, and what a filter means in plain Python."""

import operator
from collections.abc import Mapping
from typing import Any

from graphdb.domain import parse_domain
from graphdb.filters import All, Condition, Filter, Not

EVERY_KIND = parse_domain(
    """
name = "every-kind"
[item]
label = "Thing"
[item.fields.title]
text = true
[item.fields.released]
filter = true
[item.fields.year]
type = "integer"
filter = true
[item.fields.price]
type = "float"
filter = true
[item.fields.new]
type = "boolean"
filter = true
[item.fields.tags]
type = "strings"
filter = true
[item.fields.genres]
type = "strings"
filter = true
node = { label = "Genre", relationship = "HAS_GENRE" }
[item.fields.brand]
filter = true
node = { label = "Brand", relationship = "OF_BRAND" }
[events.rated]
relationship = "RATED"
""",
    "every-kind.toml",
)
COMPARED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def passes(tree: Filter, fields: Mapping[str, Any]) -> bool:
    """What compiled Cypher must agree with."""
    if isinstance(tree, Not):
        return not passes(tree.inner, fields)
    if not isinstance(tree, Condition):
        parts = [passes(part, fields) for part in tree.parts]
        return all(parts) if isinstance(tree, All) else any(parts)
    value = fields.get(tree.field)
    if value is None or value == []:
        return False
    if tree.operator == "present":
        return True
    if tree.operator == "in":
        return bool({*(value if isinstance(value, list) else [value])} & {*tree.values})
    return COMPARED[tree.operator](value, tree.values[0])
