"""Which column of a table is the person, the thing, the time, the value: guesses with reasons.

A guess is made of a column's name and of what stands in it; it knows no data set.
"""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from ingest.drafting.profile import Column, Sample

ROLES = ("user", "item", "time", "value", "event_type", "session")
MOST_TYPES = 30


@dataclass
class Roles:
    """The columns of an event table by role, and why each was taken."""

    columns: dict[str, Column] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def are_events(self) -> bool:
        """Whether a row can be an event: there is a person and a thing."""
        return {"user", "item"} <= self.columns.keys()


@cache
def vocabulary() -> dict[str, set[str]]:
    """The words of column_words.toml by what they speak for."""
    text = resources.files("ingest.drafting").joinpath("column_words.toml").read_text("utf-8")
    return {kind: set(said.split()) for kind, said in tomllib.loads(text).items()}


def words(name: str) -> set[str]:
    """The words of a column's name: `personId` is person and id, `visitorids` visitor and id."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    found = set(re.findall(r"[a-z]+|\d+", spaced.lower()))
    known = set().union(*(vocabulary()[role] for role in ROLES))
    for word in list(found):
        bare = word.removesuffix("s") if word not in known else word
        stem = re.sub(r"ids?$", "", bare)
        if bare in known:
            found.add(bare)
        elif stem != bare and (stem in known or stem.removesuffix("s") in known):
            found |= {stem.removesuffix("s") if stem not in known else stem, "id"}
    return found


def named(role: str, name: str) -> set[str]:
    """The words of a name that speak for a role."""
    return words(name) & vocabulary()[role]


def find_roles(sample: Sample) -> Roles:
    """The best column for each role; none where nothing speaks for one."""
    roles = Roles()
    columns = list(sample.columns.values())
    if sample.table.format == "lists":
        for role, name in (("user", "user_id"), ("item", "item_id")):
            place = "first" if role == "user" else "other"
            _take(roles, role, sample.columns[name], f"the {place} numbers of each line")
        return roles
    headless = "header" in sample.written
    for role in ("user", "item"):
        _choose_id(roles, role, columns)
    _choose_time(roles, columns)
    _choose_event_type(roles, columns)
    # A time, or one of the two, is what a row of an event has; a catalogue has a person or a thing
    # once a row.
    known = [roles.columns[role] for role in ("user", "item") if role in roles.columns]
    once = any(column.repeats < 1.1 for column in known)
    if not roles.are_events and not once and (known or "time" in roles.columns or headless):
        _choose_by_place(roles, columns)
    _choose_value(roles, columns)
    _choose_session(roles, columns)
    return roles


def _take(roles: Roles, role: str, column: Column, reason: str) -> None:
    roles.columns[role] = column
    roles.reasons[role] = reason


def _free(roles: Roles, columns: list[Column]) -> list[Column]:
    taken = {id(column) for column in roles.columns.values()}
    return [column for column in columns if id(column) not in taken and column.given]


def _looks_like_id(column: Column) -> bool:
    plain = column.kind in ("integer", "text") and column.separator is None
    return plain and column.longest <= 256 and column.mean_length <= 64 and column.distinct > 1


def _choose_id(roles: Roles, role: str, columns: list[Column]) -> None:
    other = "item" if role == "user" else "user"

    def score(column: Column) -> float:
        own = named(role, column.name)
        if not own or not _looks_like_id(column):
            return 0.0
        points = 3.0 + 1.5 * bool(words(column.name) & vocabulary()["id"])
        points -= 2.0 * bool(named(other, column.name)) + 1.0 * bool(named("value", column.name))
        return points + min(1.0, column.distinct / 1000) - 0.01 * len(words(column.name))

    best = max(_free(roles, columns), key=score, default=None)
    if best and score(best) > 1:
        word = min(named(role, best.name))
        _take(
            roles,
            role,
            best,
            f"its name says {word}; {best.distinct:,} different ones, {best.repeats:.1f} rows each",
        )


def _choose_by_place(roles: Roles, columns: list[Column]) -> None:
    """Without names that say it: the first column of ids is the person, the next the thing."""
    for role in ("user", "item"):
        if role not in roles.columns:
            ids = (c for c in _free(roles, columns) if _looks_like_id(c) and not c.unit)
            if column := next(ids, None):
                place = columns.index(column) + 1
                said = f"no name says it; column {place} holds ids, {column.distinct:,} different"
                _take(roles, role, column, said)


def _choose_time(roles: Roles, columns: list[Column]) -> None:
    def score(column: Column) -> float:
        if column.unit is None:
            return 0.0
        own = bool(named("time", column.name))
        epochs = column.repeats < 20
        sure = 1.0 if own or column.kind == "time" else 0.5 if epochs else 0.0
        # Of two columns of times the finer one.
        return sure + own + column.distinct / max(1, column.given) if sure else 0.0

    best = max(_free(roles, columns), key=score, default=None)
    if best and score(best) >= 0.5:
        how = "ISO 8601" if best.unit == "iso" else best.unit
        since = " since 1970" if best.kind != "time" else ""
        _take(roles, "time", best, f"all its values are times as {how}{since}")


def _choose_event_type(roles: Roles, columns: list[Column]) -> None:
    for column in _free(roles, columns):
        few = column.kind == "text" and 1 <= column.distinct <= MOST_TYPES
        own = named("event_type", column.name)
        if few and column.empty == 0 and (own or _are_verbs(column)):
            why = f"its name says {min(own)}" if own else "all its values are things people do"
            _take(roles, "event_type", column, f"{why}; {column.distinct} values")
            return


def _are_verbs(column: Column) -> bool:
    values = set(column.values)
    known = vocabulary()
    verbs = tuple(known["against"] | known["weak"] | known["half"] | known["strong"])
    return len(values) > 1 and all(
        any(word.startswith(verbs) for word in words(str(value))) for value in values
    )


def _choose_value(roles: Roles, columns: list[Column]) -> None:
    numbers = [c for c in _free(roles, columns) if c.kind in ("integer", "number")]
    said = [column for column in numbers if named("value", column.name)]
    if said:
        _take(
            roles, "value", said[0], f"a number whose name says {min(named('value', said[0].name))}"
        )
        return
    nameless = [c for c in numbers if re.fullmatch(r"c\d+", c.name) and 1 < c.distinct <= 100]
    if nameless and not nameless[0].unit:
        _take(roles, "value", nameless[0], f"a number with {nameless[0].distinct} different values")


def _choose_session(roles: Roles, columns: list[Column]) -> None:
    for column in _free(roles, columns):
        own = named("session", column.name)
        if (
            own
            and _looks_like_id(column)
            and (words(column.name) & vocabulary()["id"] or len(own) == 1)
        ):
            _take(roles, "session", column, f"its name says {min(own)}")
            return


def is_rating(column: Column) -> bool:
    """Whether a value is an opinion on a scale and not a quantity."""
    scale = column.distinct <= 25 and column.lowest is not None
    said, known = words(column.name), vocabulary()
    return bool(said & known["rating"]) or (scale and not said & (known["value"] - known["rating"]))
