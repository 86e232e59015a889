"""A domain's rules asked of the graph: whom a pattern bars, what it places, which groups items
are in.

Patterns become statements here: their names are the domain's, their values are bound. What a rule
does to a list is not known here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, cast

from graphdb.answers.served import ServedRow
from graphdb.connection import Graph
from graphdb.cypher import render, union
from graphdb.domain import Domain
from graphdb.patterns import Pattern, PatternLink, PatternNode
from graphdb.specs import RuleSpec

# A person's events may stand at whoever was joined to them. `one` is null for a stranger, whom
# patterns without a person concern all the same.
LIST_MATCHED = """
OPTIONAL MATCH (asked:User {id: $user})
OPTIONAL MATCH (asked)-[:SAME_AS]->(known:User)
WITH coalesce(known, asked) AS one
UNWIND [one] + COLLECT { MATCH (s:User)-[:SAME_AS]->(one) RETURN s } AS person
MATCH <pattern>
WHERE <conditions>
RETURN <rule> AS rule, collect(DISTINCT item.id) AS ids
"""


def list_matched(
    graph: Graph, domain: Domain, user_id: str, waiting: Sequence[ServedRow] = ()
) -> dict[str, list[str]]:
    """By rule, but for those of the kind `at_most`, the items that it speaks of for this person;
    waiting: lists that they were shown and that may not be in the graph yet."""
    asked = {n: rule for n, rule in domain.rules.items() if not rule.at_most}
    values: list[Any] = []
    parts = [
        _matching(name, rule, pattern, values)
        if (pattern := rule.never or rule.place)
        else _shown(name, rule, values)
        for name, rule in asked.items()
    ]
    lists = [{name: row[name] for name in ("id", "at", "items")} for row in waiting]
    asking = {"user": user_id, "values": values, "waiting": lists}
    rows = graph.read(union(parts), **asking) if parts else []
    # Of a rule that matches nothing there is no row.
    return {name: [] for name in asked} | {row["rule"]: row["ids"] for row in rows}


# A list that waits may be in the graph by now: it is counted by its id.
LIST_SHOWN = """
OPTIONAL MATCH (asked:User {id: $user})
OPTIONAL MATCH (asked)-[:SAME_AS]->(known:User)
WITH coalesce(known, asked) AS one
CALL (one) {
  UNWIND [one] + COLLECT { MATCH (s:User)-[:SAME_AS]->(one) RETURN s } AS person
  MATCH (person)<-[:SHOWN_TO]-(list:ServedList)
  WHERE list.at >= datetime() - duration({seconds: <seconds>})
  RETURN list.id AS list, list.items AS items
  UNION ALL
  UNWIND $waiting AS list
  WITH list
  WHERE list.at >= (datetime().epochSeconds - <seconds>) * 1000000
  RETURN list.id AS list, list.items AS items
}
UNWIND items AS id
WITH id, count(DISTINCT list) AS lists
WHERE lists >= <most>
RETURN <rule> AS rule, collect(id) AS ids
"""


def _shown(name: str, rule: RuleSpec, values: list[Any]) -> LiteralString:
    statement = LIST_SHOWN.replace("<seconds>", "<value>")
    statement = _bound(statement, int((rule.within_days or 0) * 86_400), values)
    statement = _bound(statement.replace("<most>", "<value>"), rule.shown_at_most, values)
    return _bound(statement.replace("<rule>", "<value>"), name, values)


LIST_GROUPS = """
UNWIND $ids AS id
MATCH (item:Item {id: id})
MATCH <pattern>
RETURN <rule> AS rule, collect(DISTINCT [item.id, group.id]) AS pairs
"""


def list_groups(graph: Graph, domain: Domain, ids: Sequence[str]) -> dict[str, dict[str, set[str]]]:
    """By rule of the kind `at_most`, the groups of each of `ids` that is in any."""
    values: list[Any] = []
    parts = [
        _filled(LIST_GROUPS, name, rule.per, values)
        for name, rule in domain.rules.items()
        if rule.per
    ]
    if not parts:
        return {}
    groups: dict[str, dict[str, set[str]]] = {}
    for row in graph.read(union(parts), ids=list(ids), values=values):
        of = groups.setdefault(row["rule"], {})
        for item, group in row["pairs"]:
            of.setdefault(item, set()).add(group)
    return groups


LIST_NAMES = """
CALL () { CALL db.labels() YIELD label RETURN collect(label) AS labels }
CALL () { CALL db.relationshipTypes() YIELD relationshipType
          RETURN collect(relationshipType) AS types }
RETURN labels, types
"""


def check_rules(graph: Graph, domain: Domain) -> dict[str, str]:
    """Why rules cannot act yet, by name: what they speak of that the graph has never held. The
    server plans all of them."""
    list_matched(graph, domain, "")
    list_groups(graph, domain, [])
    if not domain.rules:
        return {}
    row = graph.read(LIST_NAMES)[0]
    known: Mapping[str, list[str]] = {"label": row["labels"], "relationship": row["types"]}
    return {
        name: "the graph has no " + " and no ".join(missing)
        for name, rule in domain.rules.items()
        if (missing := _missing(rule, known))
    }


def _missing(rule: RuleSpec, known: Mapping[str, list[str]]) -> list[str]:
    pattern = rule.never or rule.per or rule.place
    patterns = [part for part in (pattern, rule.unless) if part]
    labels = [label for part in patterns for label in part.labels]
    gone = [f"label {name}" for name in labels if name not in known["label"]]
    types = {
        link.types: " or ".join(link.types)
        for part in patterns
        for link in part.links
        if not set(link.types) & set(known["relationship"])
    }
    return [*gone, *(f"relationship {name}" for name in types.values())]


def _matching(name: str, rule: RuleSpec, pattern: Pattern, values: list[Any]) -> LiteralString:
    conditions: list[LiteralString] = []
    if rule.within_days:
        conditions.append("event.at >= datetime() - duration({seconds: <value>})")
        conditions[-1] = _bound(conditions[-1], int(rule.within_days * 86_400), values)
    if rule.unless:
        conditions.append("NOT EXISTS { MATCH " + _drawn(rule.unless, values) + " }")
    statement = _filled(LIST_MATCHED, name, pattern, values, bool(rule.within_days))
    return statement.replace("<conditions>", " AND ".join(conditions) or "true")


def _filled(
    statement: LiteralString,
    name: str,
    pattern: Pattern,
    values: list[Any],
    named: bool = False,
) -> LiteralString:
    """The statement with its pattern and the rule's name, as the name of its rows."""
    drawn = _drawn(pattern, values, named)
    return _bound(statement.replace("<pattern>", drawn).replace("<rule>", "<value>"), name, values)


def _bound(text: LiteralString, value: Any, values: list[Any]) -> LiteralString:
    """The text with its <value> as a parameter."""
    values.append(value)
    # The number is our own: what is literal stays so.
    return text.replace("<value>", cast(LiteralString, f"$values[{len(values) - 1}]"))


def _drawn(pattern: Pattern, values: list[Any], named: bool = False) -> LiteralString:
    """A pattern as Cypher; named: its relationships are `event`, of which there is one."""
    text = _node(pattern.nodes[0], values)
    for link, node in zip(pattern.links, pattern.nodes[1:], strict=True):
        text += _link(link, named) + _node(node, values)
    return text


def _node(node: PatternNode, values: list[Any]) -> LiteralString:
    text: LiteralString = "("
    if node.name:
        text += render("<name>", name=node.name)
    # An item may have other labels beside it; what only links lead to may be anything.
    if label := node.label or {"item": "Item", "person": "User"}.get(node.name or ""):
        text += render(":<label>", label=label)
    if node.field:
        text += _bound(render(" {<field>: <value>}", field=node.field), node.value, values)
    return text + ")"


def _link(link: PatternLink, named: bool) -> LiteralString:
    start: LiteralString = "<-[" if link.direction == "<-" else "-["
    end: LiteralString = "]->" if link.direction == "->" else "]-"
    name: LiteralString = "event" if named else ""
    return start + name + render(":<types>", types=link.types) + end
