"""People's own Cypher, read-only: EXPLAIN first, READ mode, a time-out and a row cap.

Every Neo4j Community user is an administrator, so this is the only door that is handed out. The
server's own verdict decides what is a read; what can reach outside the graph is refused by name.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neo4j.exceptions import ClientError, DriverError
from neo4j.graph import Node, Path, Relationship

from graphdb.connection import Graph
from graphdb.errors import PathlightError

ALLOWED_PROCEDURES = {
    "db.labels",
    "db.relationshiptypes",
    "db.propertykeys",
    "db.schema.visualization",
    "db.index.vector.querynodes",
    "db.index.fulltext.querynodes",
}
LONGEST_LIST = 20
"""Longer lists (vectors) are shown by their length."""


class ExplorationError(PathlightError):
    """A statement that is not let through, with the reason."""


@dataclass(frozen=True)
class Table:
    """An answer: columns, plain rows, and whether the row cap cut it."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool


def explore(
    graph: Graph,
    statement: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    timeout: float = 10,
    limit: int = 1000,
) -> Table:
    """Run one reading statement. Raises ExplorationError naming what is not allowed."""
    given = dict(parameters or {})
    check_reading(graph, statement, given, timeout)
    try:
        columns, rows = graph.explore(statement, given, timeout, limit + 1)
    except (ClientError, DriverError) as error:
        raise ExplorationError(f"Neo4j refused the statement: {_first_line(error)}") from None
    plain = [[plain_value(value) for value in row] for row in rows[:limit]]
    return Table(columns, plain, truncated=len(rows) > limit)


def check_reading(graph: Graph, statement: str, parameters: dict[str, Any], timeout: float) -> None:
    """Have the server plan a statement. Raises ExplorationError unless it is a read that stays in
    the graph."""
    _check_words(statement)
    try:
        verdict = graph.plan_type(statement, parameters, timeout)
    except (ClientError, DriverError) as error:
        raise ExplorationError(f"Neo4j refused the statement: {_first_line(error)}") from None
    if verdict != "r":
        raise ExplorationError("only reading statements are allowed here; this one writes")


def _check_words(statement: str) -> None:
    bare = re.sub(
        r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"",
        " ",
        statement,
        flags=re.DOTALL,
    )
    if re.search(r"\bLOAD\s+CSV\b", bare, re.IGNORECASE):
        raise ExplorationError("LOAD CSV is not allowed here: it reads from outside the graph")
    if re.match(r"\s*(EXPLAIN|PROFILE)\b", bare, re.IGNORECASE):
        raise ExplorationError("leave EXPLAIN and PROFILE out: the statement is explained first")
    for name in re.findall(r"\bCALL\s+([A-Za-z`][\w.`]*)", bare, re.IGNORECASE):
        if name.replace("`", "").lower() not in ALLOWED_PROCEDURES:
            allowed = ", ".join(sorted(ALLOWED_PROCEDURES))
            raise ExplorationError(f"CALL {name} is not allowed here; allowed are {allowed}")


def plain_value(value: Any) -> Any:
    """A driver value as JSON would have it: nodes and relationships become their properties."""
    if isinstance(value, Node):
        return {"labels": sorted(value.labels), **plain_value(dict(value))}
    if isinstance(value, Relationship):
        return {"type": value.type, **plain_value(dict(value))}
    if isinstance(value, Path):
        return [
            plain_value(part)
            for pair in zip(value.nodes, [*value.relationships, None], strict=True)
            for part in pair
            if part
        ]
    if isinstance(value, Mapping):
        return {str(key): plain_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        if len(value) > LONGEST_LIST and all(isinstance(x, float) for x in value):
            return f"[{len(value)} numbers]"
        return [plain_value(inner) for inner in value]
    try:
        json.dumps(value)
    except TypeError:
        return str(value)
    return value


def _first_line(error: Exception) -> str:
    message = getattr(error, "message", None) or str(error)
    return message.splitlines()[0][:300]
