"""A check: one reading statement that counts what is at fault, and the same as a person's query.

Every statement returns one row: `count` of the faulty, `of` how many were looked at, and a few
`examples`, with nulls where there are none. It knows not what is checked.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString


@dataclass(frozen=True)
class Check:
    """A named statement with its parameters; `counts` says in words what it counts."""

    name: str
    counts: str
    statement: LiteralString
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def query(self) -> str:
        """The statement with its parameters written in, without a single quote: it can be pasted
        between two."""
        return re.sub(
            r"\$(\w+)", lambda found: literal(self.parameters[found[1]]), self.statement
        ).strip()


def literal(value: Any) -> str:
    """A value as Cypher writes it: text, numbers, booleans, null, lists and maps."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {literal(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    # JSON's escapes are Cypher's too.
    return json.dumps(value).replace("'", "\\u0027")
