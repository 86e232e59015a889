"""Graph patterns as a domain's rules write them: a chain of nodes and relationships.

    (person)-[:BLOCKS]->(:Brand)<-[:OF_BRAND]-(item)

`person`, `item` and `group` are the nodes that a rule speaks of. Text becomes names and values
here, checked against a vocabulary; how they become a statement is graphdb.answers.rules' affair.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

Value = str | int | float | bool
Direction = Literal["->", "<-", "-"]

NODE = re.compile(
    r"""\s*\(\s*(?P<name>person|item|group)?\s*(?::\s*(?P<label>[A-Z][A-Za-z0-9]*))?\s*
    (?:\{\s*(?P<field>[a-z][a-z0-9_]*)\s*:\s*(?P<value>'[^'\\]*'|-?[0-9]+(?:\.[0-9]+)?|true|false)
    \s*\})?\s*\)\s*""",
    re.VERBOSE,
)
LINK = re.compile(
    r"""(?P<left><?)-\[\s*:\s*(?P<types>[A-Z][A-Z0-9_]*(?:\s*\|\s*[A-Z][A-Z0-9_]*)*)\s*\]-
    (?P<right>>?)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class PatternNode:
    """One node; field and value: what a property of it must be."""

    name: str | None = None
    label: str | None = None
    field: str | None = None
    value: Value | None = None


@dataclass(frozen=True)
class PatternLink:
    """A relationship of one of these types."""

    types: tuple[str, ...]
    direction: Direction


@dataclass(frozen=True)
class Pattern:
    """Nodes with the links between them: one link fewer than nodes."""

    nodes: tuple[PatternNode, ...]
    links: tuple[PatternLink, ...]

    @property
    def names(self) -> list[str]:
        """The names in it, as often as they are written."""
        return [node.name for node in self.nodes if node.name]

    @property
    def types(self) -> list[str]:
        """The relationship types in it."""
        return [name for link in self.links for name in link.types]

    @property
    def labels(self) -> list[str]:
        """The labels in it."""
        return [node.label for node in self.nodes if node.label]


def parse_pattern(text: object) -> Pattern:
    """The pattern that a text writes. Raises ValueError naming the character."""
    if not isinstance(text, str):
        raise ValueError("expected a pattern, as in (person)-[:BLOCKS]->(item)")
    nodes, links, at = [], [], 0
    while True:
        node = NODE.match(text, at)
        if node is None:
            raise ValueError(
                f"at character {at + 1}: expected a node: (item), (person), (group) or as in "
                "(:Genre {id: 'Drama'})"
            )
        nodes.append(PatternNode(node["name"], node["label"], node["field"], _value(node["value"])))
        at = node.end()
        if at == len(text):
            return Pattern(tuple(nodes), tuple(links))
        link = LINK.match(text, at)
        if link is None or (link["left"] and link["right"]):
            raise ValueError(
                f"at character {at + 1}: expected a relationship, as in -[:RATED|WATCHED]-> or "
                "<-[:HAS_GENRE]-"
            )
        types = tuple(name.strip() for name in link["types"].split("|"))
        direction: Direction = "<-" if link["left"] else "->" if link["right"] else "-"
        links.append(PatternLink(types, direction))
        at = link.end()


def check_names(
    pattern: Pattern, labels: Mapping[str, Collection[str]], types: Collection[str]
) -> None:
    """Raise ValueError for what a domain does not have; labels: with their properties."""
    for node in pattern.nodes:
        if node.label and node.label not in labels:
            raise ValueError(f"there is no label {node.label!r}; there are: {', '.join(labels)}")
        label = node.label or {"person": "User", "item": "Item"}.get(node.name or "")
        if node.field and label is None:
            raise ValueError(f"a node with {node.field!r} needs its label, as in (:Genre {{…}})")
        if node.field and node.field not in labels[label or ""]:
            known = ", ".join(labels[label or ""])
            raise ValueError(f"{label} has no property {node.field!r}; it has: {known}")
    for name in pattern.types:
        if name not in types:
            raise ValueError(f"there is no relationship {name!r}; there are: {', '.join(types)}")


def _value(text: str | None) -> Value | None:
    if text is None or text in ("true", "false"):
        return None if text is None else text == "true"
    if text.startswith("'"):
        return text[1:-1]
    return float(text) if "." in text else int(text)
