"""The text of a drafted domain file: TOML, with the reason for every guess as a comment.

What it writes is imported as it stands. What is guessed, `draft`, `roles` and `fields` of this room
say.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graphdb.domain import OWN_LABELS
from ingest.drafting import fields
from ingest.drafting.draft import Draft, catalogue_key
from ingest.drafting.fields import Field, slug
from ingest.drafting.profile import Column, Sample
from ingest.drafting.roles import is_rating, named, vocabulary, words

MOST_SCANNED = 2_000_000
"""Rows whose event types are looked at: a type that is not in the draft would be rejected."""
PARTS = {
    "user": "user_id",
    "item": "item_id",
    "time": "occurred_at",
    "event_type": "event_type",
    "value": "value",
    "session": "session_id",
}


class DraftWriter:
    """Writes the tables of the domain file one after the other."""

    def __init__(self, path: Path, draft: Draft) -> None:
        self.path, self.draft = path, draft
        self.lines: list[str] = []
        self.labels = set(OWN_LABELS)
        self.relationships: set[str] = set()

    def text(self) -> str:
        draft, mine = self.draft, self.draft.roles.columns
        events = self._event_types()
        own = fields.own_columns(draft.events, draft.roles)
        item_source = draft.items or (draft.events if own["item"] else None)
        user_source = draft.users or (draft.events if own["user"] else None)
        items = self._fields("item", item_source, own["item"])
        users = self._fields("user", user_source, own["user"])
        stem = re.sub(r"[^a-z0-9]+", "-", self.path.resolve().name.split(".")[0].lower()).strip("-")
        self._say(f"# Drafted from {self.path.name}: {draft.events.rows:,} rows were looked at.")
        self._say("# Every guess has its reason; change what is wrong.", "")
        self._say(f"name = {_toml(stem if re.match('[a-z]', stem) else f'data-{stem}'[:40])}")
        self._say("horizon_days = 36500                # files tell of the past", "")
        self._item(mine["item"], items)
        for one in users:
            self._field("user", one)
        self._write_events(events)
        self._write_files(events)
        self._write_catalogue("items", item_source, items)
        self._write_catalogue("users", user_source, users)
        used = {column.name for column in [*mine.values(), *own["item"], *own["user"]]}
        if rest := [name for name in draft.events.columns if name not in used]:
            self._say(f"# Columns of events that are not used: {_comment(', '.join(rest))}")
        for name, why in draft.unused.items():
            self._say(f"# {name} is not used: {why}.")
        return "\n".join(self.lines).rstrip() + "\n"

    def _say(self, *lines: str) -> None:
        self.lines.extend(lines)

    def _fields(self, role: str, source: Sample | None, own: list[Column]) -> list[Field]:
        if source is None:
            return []
        draft = self.draft
        if source is draft.events:
            return fields.describe(own, self.labels, self.relationships)
        key = catalogue_key(role, draft.roles.columns[role], source)
        rest = [column for column in source.columns.values() if column is not key]
        return fields.describe(rest, self.labels, self.relationships)

    def _item(self, column: Column, items: list[Field]) -> None:
        hint = sorted(named("item", column.name) - vocabulary()["id"] - {"item", "url"})
        label = hint[0].capitalize() if hint else "Thing"
        label = "Thing" if label in self.labels else label
        self.labels.add(label)
        self._say("[item]", f'label = "{label}"  # of column {_comment(column.name)}', "")
        for one in items:
            self._field("item", one)

    def _field(self, owner: str, one: Field) -> None:
        self._say(f"[{owner}.fields.{one.name}]  # {_comment(one.reason)}")
        self._say(*(f"{key} = {value}" for key, value in one.settings.items()), "")

    def _event_types(self) -> dict[str, str]:
        """What the file says by the domain's name; the one type that all rows are has no word."""
        columns = self.draft.roles.columns
        if "event_type" not in columns:
            return {"": self._one_type()}
        found = _all_values(self.draft, columns["event_type"].name)
        types: dict[str, str] = {}
        for said in sorted(found):
            name = slug(said, "event")
            while name in types.values():
                name = f"{name[:38]}_2"
            types[said] = name
        return types

    def _one_type(self) -> str:
        value = self.draft.roles.columns.get("value")
        if value is None:
            return "interacted"
        if is_rating(value):
            return "rated"
        bought = {"quantity", "qty", "amount"} & words(value.name)
        return "bought" if bought else "interacted"

    def _negative(self, events: dict[str, str]) -> bool:
        value = self.draft.roles.columns.get("value")
        return bool("" in events and value and not is_rating(value) and (value.lowest or 0) < 0)

    def _write_events(self, events: dict[str, str]) -> None:
        columns = self.draft.roles.columns
        if "" in events:
            self._say("# No column says what happened: all rows are of one type.")
        else:
            self._say(f"# The values of column {_comment(columns['event_type'].name)}.")
        names = list(events.values()) + (["returned"] if self._negative(events) else [])
        for name in names:
            weight, reason = _weight_of(name)
            self._say(f"[events.{name}]", f"relationship = {_toml(self._relationship(name))}")
            self._say(f"weight = {weight}  # {reason}")
            if "value" in columns:
                self._say('value = "ignore"  # "multiply" would weigh it by its value')
            self._say("")

    def _relationship(self, name: str) -> str:
        return fields.unique(name.upper(), self.relationships)

    def _write_files(self, events: dict[str, str]) -> None:
        draft, columns = self.draft, self.draft.roles.columns
        names = ", ".join(path.name for path in draft.event_files)
        self._say(
            "[files.events]", f"path = {_toml(_pattern(draft.event_files))}  # {_comment(names)}"
        )
        self._written(draft.events)
        if "" in events:
            self._say(f"event_type = {_toml(events[''])}")
        if self._negative(events):
            said = f"{columns['value'].name} is below zero in some rows: something taken back"
            self._say(f'negative = "returned"  # {_comment(said)}')
        if "time" not in columns:
            at = _toml(_modified(draft.event_files[0]))
            self._say(f"at = {at}  # no column holds times: when the file was written")
        elif columns["time"].unit not in (None, "iso"):
            self._say(f"time = {_toml(columns['time'].unit)}  # all values of the sample are")
        self._say("", "[files.events.columns]")
        for role in (role for role in PARTS if role in columns):
            said = _comment(draft.roles.reasons[role])
            self._say(f"{PARTS[role]} = {_toml(columns[role].name)}  # {said}")
        self._say("")
        if "" not in events:
            self._say("[files.events.types]")
            self._say(*(f"{_toml(said)} = {_toml(name)}" for said, name in events.items()), "")

    def _written(self, sample: Sample) -> None:
        for key, value in sample.written.items():
            self._say(f"{key} = {_toml(value)}")

    def _write_catalogue(self, what: str, source: Sample | None, found: list[Field]) -> None:
        if source is None or not found:
            return
        role = what[:-1]
        mine = self.draft.roles.columns[role]
        own = source is self.draft.events
        key = mine if own else catalogue_key(role, mine, source)
        files = self.draft.event_files if own else [source.table.path]
        self._say(f"[files.{what}]", f"path = {_toml(_pattern(files))}")
        self._written(source)
        if own:
            self._say(f"first = true  # the events' file says it of {role}s; the first row counts")
            if role == "item":
                person = _toml(self.draft.roles.columns["user"].name)
                self._say(f"needs = {person}  # other rows are no events")
        self._say("", f"[files.{what}.columns]", f"id = {_toml(key.name if key else '')}")
        self._say(*(f"{one.name} = {_toml(one.column.name)}" for one in found), "")
        splits = {one.name: one.column.separator for one in found if one.splits}
        if splits:
            self._say(f"[files.{what}.splits]")
            self._say(*(f"{name} = {_toml(separator)}" for name, separator in splits.items()), "")


def _weight_of(name: str) -> tuple[float, str]:
    said, known = words(name), vocabulary()
    for weight, kind in ((-1.0, "against"), (0.2, "weak"), (0.5, "half")):
        if any(word.startswith(tuple(known[kind])) for word in said):
            return weight, "such an event speaks against the thing" if weight < 0 else "a weak sign"
    return 1.0, "a sign of liking, as far as its name says"


def _all_values(draft: Draft, name: str) -> set[str]:
    """Every value of the column in the events' files."""
    found: Counter[str] = Counter()
    for path in draft.event_files:
        table = type(draft.events.table)(path, draft.events.table.spec, *_rest(draft.events))
        for chunk in table.chunks([name]):
            column = chunk.columns[name]
            values = column if isinstance(column, list) else column.to_pylist()
            found.update(str(value) for value in values if value is not None)
            if found.total() > MOST_SCANNED:
                break
    return set(found)


def _rest(sample: Sample) -> tuple[Any, list[str]]:
    return sample.table.format, sample.table.names


def _pattern(files: list[Path]) -> str:
    """A pattern that these files fit: their names' common beginning and end."""
    names = [path.name for path in files]
    if len(names) == 1:
        return re.sub(r"([\[?*])", r"[\1]", names[0])
    start = _common(names)
    end = _common([name[len(start) :][::-1] for name in names])[::-1]
    return f"{start}*{end}"


def _common(names: Iterable[str]) -> str:
    first, last = min(names), max(names)
    length = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    return first[: len(min(first, last, key=len)) if length is None else length]


def _modified(path: Path) -> str:
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC).isoformat()


def _toml(value: Any) -> str:
    """A basic string, or a list of them: JSON's escapes are TOML's."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    """Text from a file that cannot end its comment."""
    return "".join(c if c.isprintable() else " " for c in text)[:120]
