"""Which columns describe a thing or a person, and what kind of field each becomes: guesses.

In an event file a column belongs to what determines it: the title of an article is the same in
every row of the article. It knows no data set.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from graphdb.domain import OWN_FIELDS, OWN_PREFIXES, OWN_TYPES
from ingest.drafting.profile import Column, Sample
from ingest.drafting.roles import Roles, vocabulary, words

MOST_FIELDS = 30
MOST_NODES = 200
"""Different values of a field that becomes nodes."""
LONGEST_FIELD = 20_000
SURE = {"user": 0.97, "item": 0.9}
LEAST_GROUPS = 10


@dataclass
class Field:
    """One field of the draft; `settings` are its lines of TOML."""

    name: str
    column: Column
    reason: str
    settings: dict[str, str] = field(default_factory=dict)
    splits: bool = False


def own_columns(sample: Sample, roles: Roles) -> dict[str, list[Column]]:
    """Columns of an event file that say something of the person or of the thing, each once."""
    taken = {column.name for column in roles.columns.values()}
    found: dict[str, list[Column]] = {"user": [], "item": []}
    for column in sample.columns.values():
        if column.name in taken or column.kind in ("nothing", "other") or column.distinct < 2:
            continue
        sure = {
            role: determined(roles.columns[role], column) - SURE[role] for role in ("user", "item")
        }
        role = max(sure, key=lambda one: sure[one])
        if sure[role] >= 0 and not column.name.lower().startswith("unnamed"):
            found[role].append(column)
    return found


def determined(key: Column, column: Column) -> float:
    """The share of rows, of those whose key comes again, with their key's commonest value."""
    groups: dict[Any, Counter[Any]] = defaultdict(Counter)
    for owner, value in zip(key.values, column.values, strict=True):
        if owner is not None and value is not None:
            groups[owner][str(value)] += 1
    again = [counts for counts in groups.values() if counts.total() > 1]
    if len(again) < LEAST_GROUPS:
        return 0.0
    alike = sum(max(counts.values()) for counts in again) / sum(c.total() for c in again)
    # A column that is nearly always the same says nothing of anybody.
    whole = Counter(value for counts in again for value in counts.elements())
    usual = max(whole.values()) / whole.total()
    return alike if alike > usual + 0.5 * (1 - usual) else 0.0


def describe(columns: list[Column], labels: set[str], relationships: set[str]) -> list[Field]:
    """A field for each column that can be one; names are new among `labels` and `relationships`."""
    found: list[Field] = []
    names: set[str] = set()
    for column in columns:
        if len(found) == MOST_FIELDS or column.kind in ("nothing", "other"):
            continue
        if column.longest > LONGEST_FIELD:
            continue
        name = field_name(column.name, names)
        found.append(_field(name, column, labels, relationships))
    return found


def slug(text: str, fallback: str) -> str:
    """A name as fields and event types have them; what stands behind a colon is a type."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text.partition(":")[0] or text)
    name = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:40].strip("_")
    return name if re.match(r"[a-z]", name) else f"{fallback}_{name}".strip("_")[:40]


def field_name(column: str, names: set[str]) -> str:
    """A field's name from a column's, new among `names`."""
    name = slug(column.rpartition(".")[2], "field")
    if name in OWN_FIELDS or name.startswith(OWN_PREFIXES):
        name = f"its_{name}"[:40]
    return unique(name, names)


def unique(name: str, names: set[str]) -> str:
    """`name`, with a number if it is in `names` or Pathlight's own; it is added."""
    found, number = name, 2
    while found in names or found in OWN_TYPES:
        found, number = f"{name[:36]}_{number}", number + 1
    names.add(found)
    return found


def _field(name: str, column: Column, labels: set[str], relationships: set[str]) -> Field:
    if column.kind in ("integer", "number", "boolean"):
        kind = {"integer": "integer", "number": "float", "boolean": "boolean"}[column.kind]
        reason = f"{column.distinct:,} different values, all {column.kind}s"
        return Field(name, column, reason, {"type": f'"{kind}"'})
    if column.kind == "list" or column.separator:
        return _list(name, column, labels, relationships)
    few = column.distinct <= MOST_NODES and column.repeats > 5 and column.longest <= 100
    titled = bool(words(column.name) & vocabulary()["title"])
    if few and not titled and column.kind == "text":
        reason = f"{column.distinct:,} different values in {column.given:,} rows: a node each"
        node = _node(name, labels, relationships)
        return Field(name, column, reason, {"filter": "true", "node": node})
    spaced = sum(" " in str(value) for value in column.values[:1000] if value is not None)
    phrases = spaced > 0.6 * min(1000, column.given) and column.distinct > 0.5 * column.given
    wordy = column.mean_length >= 30 or phrases or (titled and column.mean_length >= 6)
    if wordy and column.kind == "text" and not re.search("url|uri|link|image|href", name):
        said = f"text of {column.mean_length:.0f} characters on average, {column.longest} at most"
        return Field(name, column, said, {"text": "true"})
    return Field(name, column, f"{column.distinct:,} different values", {})


def _list(name: str, column: Column, labels: set[str], relationships: set[str]) -> Field:
    settings = {"type": '"strings"', "filter": "true", "node": _node(name, labels, relationships)}
    if column.kind == "list":
        return Field(name, column, "lists of values: a node each", settings)
    reason = f'several values in a cell, separated by "{column.separator}": a node each'
    return Field(name, column, reason, settings, splits=True)


def _node(name: str, labels: set[str], relationships: set[str]) -> str:
    base = "".join(word.capitalize() for word in name.split("_"))[:36]
    label, number = base, 2
    while label in labels:
        label, number = f"{base}{number}", number + 1
    labels.add(label)
    relationship = unique(f"HAS_{name.upper()}"[:40], relationships)
    return f'{{ label = "{label}", relationship = "{relationship}" }}'
