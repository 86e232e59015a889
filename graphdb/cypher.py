"""Statements put together: the one place where names enter Cypher, and parts become one.

Everything else is a parameter. It knows no database and no domain.
"""

import re
from collections.abc import Iterable
from typing import LiteralString, cast

from graphdb.errors import PathlightError


class NameRefusedError(PathlightError):
    """What cannot be a name in the graph."""


def render(statement: LiteralString, **names: str | Iterable[str]) -> LiteralString:
    """THE place where names enter Cypher: replace each <name> by a backquoted identifier.

    Several names become alternatives, as in [r:<types>]. The values are a validated domain's, or
    constants; anything else is refused: NameRefusedError.
    """
    for placeholder, given in names.items():
        alternatives = [given] if isinstance(given, str) else list(given)
        for name in alternatives:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
                raise NameRefusedError(f"{name!r} cannot be a name in the graph")
        rendered = "|".join(f"`{name}`" for name in alternatives)
        statement = cast(LiteralString, statement.replace(f"<{placeholder}>", rendered))
    return statement


def union(parts: Iterable[LiteralString]) -> LiteralString:
    """One statement that returns the rows of all."""
    return "\nUNION ALL\n".join(parts)
