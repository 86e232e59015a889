"""Which of several files holds events, which the items, which the people: guesses from samples.

It knows no data set; the domain file that comes of it, `ingest.drafting.draft_text` writes.
"""

from dataclasses import dataclass, field
from pathlib import Path

from ingest.drafting.profile import Column, Sample
from ingest.drafting.roles import Roles, find_roles, named
from ingest.errors import DatasetError


@dataclass
class Draft:
    """What was decided."""

    events: Sample
    roles: Roles
    event_files: list[Path]
    items: Sample | None = None
    users: Sample | None = None
    unused: dict[str, str] = field(default_factory=dict)


def find_tables(path: Path, samples: list[Sample]) -> Draft:
    """Decide. Raises DatasetError when no file looks like events."""
    guesses = [(sample, find_roles(sample)) for sample in samples]
    events = [(s, r) for s, r in guesses if r.are_events and _can_be_events(r)]
    if not events:
        seen = "; ".join(f"{s.table.path.name}: {', '.join(s.columns)}"[:200] for s in samples)
        raise DatasetError(
            f"{path}: no table here has a column of people beside one of things ({seen})"
        )
    sample, roles = max(events, key=lambda pair: (_weight(pair[1]), _size(pair[0])))
    alike = [
        s.table.path
        for s, _ in events
        if s.table.names == sample.table.names and s.table.format == sample.table.format
    ]
    draft = Draft(sample, roles, sorted(alike))
    others = [s for s in samples if s.table.path not in alike]
    draft.items = _catalogue("item", draft, others)
    draft.users = _catalogue("user", draft, [s for s in others if s is not draft.items])
    for other in others:
        if other is not draft.items and other is not draft.users:
            draft.unused[other.table.path.name] = (
                "neither events, nor the one file of items or users"
            )
    return draft


def _can_be_events(roles: Roles) -> bool:
    """A catalogue names each thing once; of events somebody or something comes again."""
    return max(roles.columns[role].repeats for role in ("user", "item")) > 1.02


def _weight(roles: Roles) -> float:
    return len(roles.columns) + 2 * ("time" in roles.columns)


def _size(sample: Sample) -> int:
    return sample.table.path.stat().st_size


def _catalogue(role: str, draft: Draft, samples: list[Sample]) -> Sample | None:
    """The file with one row for each thing (or person) of the events, if there is one."""
    mine = draft.roles.columns[role]
    best: tuple[float, Sample] | None = None
    for sample in samples:
        key = catalogue_key(role, mine, sample)
        if key is None or len(sample.columns) < 2:
            continue
        other = "user" if role == "item" else "item"
        stem = sample.table.path.name
        fit = _fit(role, mine, key) + 0.5 * bool(named(role, stem)) - bool(named(other, stem))
        score = fit + 0.02 * min(30, len(sample.columns))
        if fit > 0.8 and (best is None or score > best[0]):
            best = (score, sample)
    return best[1] if best else None


def catalogue_key(role: str, mine: Column, sample: Sample) -> Column | None:
    """The column of a catalogue whose values are the events' ids."""
    keys = [c for c in sample.columns.values() if c.distinct > 0.9 * sample.rows and c.given]
    return max(keys, key=lambda column: _fit(role, mine, column), default=None)


def _fit(role: str, mine: Column, key: Column) -> float:
    other = "user" if role == "item" else "item"
    ids = {str(value) for value in mine.values if value is not None}
    keys = {str(value) for value in key.values if value is not None}
    shared = len(ids & keys) / max(1, min(len(ids), len(keys)))
    hint = 0.5 * bool(named(role, key.name)) - 1.0 * bool(named(other, key.name))
    return shared + (1.0 if key.name == mine.name else 0.0) + hint if shared > 0.2 else 0.0
