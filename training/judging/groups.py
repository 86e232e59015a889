"""Groups of users and items by any property of theirs, and what each group gets.

It knows a snapshot's columns and edges, and ranked lists; not the models behind them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from graphdb.snapshot import Snapshot
from training.data import Interactions
from training.errors import UnknownPropertyError
from training.judging.evaluation import Ranking
from training.judging.metrics import accuracy, exposure

MOST_VALUES = 20
BANDS = 5
"""Groups of a property: the largest so many; of numbers with more values, bands of equal size."""

NOT_PROPERTIES = {"user": {"key"}, "item": {"id", "text", "text_vector"}}
NOTHING = "(none)"

Side = Literal["user", "item"]
Groups = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Property:
    """Who has which value: `members` [users or items, G] CSR of ones beside the G `values`.

    name: `user.…` or `item.…`. One row may have several values, or none.
    """

    name: str
    side: Side
    values: list[str]
    members: sp.csr_matrix


def property_names(snapshot: Snapshot) -> list[str]:
    """Every property that users or items of the snapshot have, `user.…` first."""
    tables = {"user": snapshot.users, "item": snapshot.items}
    columns = [
        f"{side}.{name}"
        for side, table in tables.items()
        for name in table.column_names
        if name not in NOT_PROPERTIES[side]
    ]
    return columns + [name for name in _nodes(snapshot) if name not in columns]


def find_property(snapshot: Snapshot, name: str, most: int | None = MOST_VALUES) -> Property:
    """The property `name` with its `most` largest groups; without `user.` or `item.` where only
    one of them has it.

    Raises UnknownPropertyError with the list.
    """
    known = property_names(snapshot)
    found = [full for full in known if name in (full, full.partition(".")[2])]
    if len(found) != 1:
        trouble = "is ambiguous" if found else "is not there"
        raise UnknownPropertyError(
            f"snapshot {snapshot.manifest.id}: property {name!r} {trouble}: expected one of"
            f" {', '.join(found or known) or 'none, for nothing has one'}"
        )
    side: Side = "user" if found[0].startswith("user.") else "item"
    table = snapshot.users if side == "user" else snapshot.items
    column = found[0].partition(".")[2]
    if column in table.column_names:
        return column_property(found[0], side, table[column], most)
    return _property(found[0], side, _nodes(snapshot)[found[0]], table.num_rows, most)


def column_property(
    name: str, side: Side, column: pa.ChunkedArray, most: int | None = MOST_VALUES
) -> Property:
    """A column's values as groups: lists have several, numbers of many values are put in bands."""
    rows = column.to_pylist()
    numbers = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if numbers and len({row for row in rows if row is not None}) > 2 * BANDS:
        return banded_property(name, side, np.array([np.nan if r is None else r for r in rows]))
    pairs = [
        (row, NOTHING if one is None else str(one))
        for row, value in enumerate(rows)
        for one in (value if isinstance(value, list) else [value])
    ]
    return _property(name, side, pairs, len(rows), most)


def banded_property(name: str, side: Side, numbers: np.ndarray) -> Property:
    """Up to BANDS groups of about equal size, from the least number to the largest; NaN apart."""
    known = ~np.isnan(numbers)
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, BANDS + 1)[1:-1]))
    band = np.searchsorted(edges, numbers, side="left")
    labels = {
        n: f"{numbers[known & (band == n)].min():g} to {numbers[known & (band == n)].max():g}"
        for n in np.unique(band[known])
    }
    pairs = [(row, labels[band[row]] if known[row] else NOTHING) for row in range(len(numbers))]
    order = [*labels.values(), NOTHING]
    made = _property(name, side, pairs, len(numbers))
    places = sorted(range(len(made.values)), key=lambda n: order.index(made.values[n]))
    return Property(name, side, [made.values[n] for n in places], made.members[:, places])


def activity_properties(train: Interactions, history: Interactions) -> list[Property]:
    """Those that everybody has: items by how many learned-from entries they have, users by how
    many events they bring."""
    of_items = np.bincount(train.item_index[train.weight > 0], minlength=train.item_count)
    of_users = np.bincount(history.user_index, minlength=history.user_count)
    return [
        banded_property("item.popularity", "item", of_items.astype(float)),
        banded_property("user.activity", "user", of_users.astype(float)),
    ]


def user_groups(made: Property, ranking: Ranking, values: dict[str, np.ndarray]) -> Groups:
    """Each group's `users` tested, their `share` of all, and the means of `values` [T]."""
    members = made.members[ranking.users].toarray().astype(bool)
    groups: Groups = {}
    for value, of_group in zip(made.values, members.T, strict=True):
        if not of_group.any():
            continue
        means = {name: _mean(each[of_group]) for name, each in values.items()}
        groups[value] = {
            "users": int(of_group.sum()),
            "share": float(of_group.mean()),
            **{name: mean for name, mean in means.items() if mean is not None},
        }
    return groups


def item_groups(
    made: Property, ranking: Ranking, wanted: sp.csr_matrix, cutoffs: Iterable[int]
) -> Groups:
    """Each group's share of the catalogue, of the test entries (`wanted` [U, I]) and, at each
    cutoff, of the listed places; and how its test items are ranked in the whole catalogue.

    An item with several values counts for each.
    """
    item_count = wanted.shape[1]
    asked = wanted[ranking.users]
    of_test = np.bincount(asked.indices, minlength=item_count)
    groups: Groups = {}
    for value, column in zip(made.values, made.members.T.tocsr(), strict=True):
        of_group = np.zeros(item_count, bool)
        of_group[column.indices] = True
        figures = {
            "items": int(of_group.sum()),
            "catalogue": float(of_group.mean()),
            "test": float(of_test[of_group].sum() / of_test.sum()),
        }
        part = ranking.among(of_group, asked)
        for k in cutoffs:
            counts = exposure(ranking.items[:, :k], item_count)
            figures[f"share@{k}"] = float(counts[of_group].sum() / max(counts.sum(), 1))
            if len(part.users):
                found = accuracy(part.hits, part.relevant, k)
                figures |= {f"{n}@{k}": float(found[n].mean()) for n in ("recall", "ndcg")}
        groups[value] = figures
    return groups


def _nodes(snapshot: Snapshot) -> dict[str, list[tuple[int, str]]]:
    """(row, node) of each kind of attribute, as `user.Label` or `item.Label`."""
    found: dict[str, list[tuple[int, str]]] = {}
    for _, table in sorted(snapshot.edges.items()):
        for edge in table.to_pylist():
            if edge["to"] is None:
                name = f"{edge['from_kind']}.{edge['to_kind']}"
                found.setdefault(name, []).append((edge["from"], edge["node"]))
    return dict(sorted(found.items(), key=lambda named: (named[0][:4] != "user", named[0])))


def _property(
    name: str,
    side: Side,
    pairs: list[tuple[int, Any]],
    rows: int,
    most: int | None = MOST_VALUES,
) -> Property:
    sizes: dict[str, int] = {}
    for _, value in pairs:
        sizes[value] = sizes.get(value, 0) + 1
    values = sorted(sizes, key=lambda value: (-sizes[value], value))[:most]
    place = {value: n for n, value in enumerate(values)}
    kept = {(row, place[value]) for row, value in pairs if value in place}
    index = np.array(sorted(kept), np.int64).reshape(-1, 2)
    members = sp.csr_matrix(
        (np.ones(len(index), np.float32), (index[:, 0], index[:, 1])), (rows, len(values))
    )
    return Property(name, side, values, members)


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
