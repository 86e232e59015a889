"""The domain's rules in an answer: what is never shown, how many of a group, what is placed where.

What a rule speaks of is asked of the graph once an answer, and what a person was shown a moment ago
of Redis; how the list then follows is decided here, on ids in the order of preference. It knows no
scores and no HTTP.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from api.answers.answer import Query, Recommended
from api.serving.breaker import GraphBreaker
from graphdb.answers.rules import list_groups, list_matched
from graphdb.answers.served import ServedRow
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.errors import PathlightError
from ingest.stream.served import ServedLists

MOST_PLACED = 500
"""Items that a rule may choose from to place one."""
SHARE, PAUSE_S, AT_ONCE = 0.2, 5.0, 8
"""Of an answer's patience with the graph Redis's part; how long it is not asked after it took more;
how many answers ask it at the same time."""


@dataclass(frozen=True)
class Ruled:
    """What rules say of one person. barred: by rule, what is never shown; placed: by rule, the
    items of which the best is placed; untold: rules of which the last lists are not known."""

    barred: Mapping[str, frozenset[str]] = field(default_factory=dict)
    placed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    untold: Sequence[str] = ()

    @property
    def never(self) -> set[str]:
        """Everything that some rule bars."""
        return set().union(*self.barred.values())

    def held_back(self, found: Collection[str]) -> dict[str, int]:
        """By rule, how many of the items found it bars; the rules that bar any."""
        counts = {rule: len(ids.intersection(found)) for rule, ids in self.barred.items()}
        return {rule: count for rule, count in counts.items() if count}


@dataclass(frozen=True)
class Arranged:
    """A list: which of the given come at its places; marks: by id, the rule that placed it;
    acted: by rule, how many items it held back or placed."""

    places: list[int]
    marks: dict[str, str]
    acted: dict[str, int]

    def marked(self, items: Sequence[Recommended]) -> list[Recommended]:
        """The list's items with what placed them."""
        return [replace(item, rule=self.marks.get(item.id)) for item in items]


def arrange(
    ids: Sequence[str],
    k: int,
    most: Mapping[str, int],
    groups: Mapping[str, Mapping[str, Collection[str]]],
    spots: Mapping[int, tuple[str, Collection[str]]],
    before: Sequence[str] = (),
    spare: int | None = None,
) -> Arranged:
    """The best k of `ids`, which are in the order of preference.

    most: by rule, so many of one group; groups: by rule and item; spots: by position from 1, the
    rule and its items; before: items that the list has already, on earlier pages. From the place
    `spare` on, ids are for spots only.
    """
    chosen: list[int] = []
    marks: dict[str, str] = {}
    acted: Counter[str] = Counter()
    full = Counter(
        (rule, group)
        for rule in most
        for id in before
        for group in groups.get(rule, {}).get(id, ())
    )
    waiting = dict.fromkeys(range(len(ids)))
    plain = iter(range(len(ids) if spare is None else spare))

    def holding(place: int) -> str | None:
        """The rule by which no more of this item's group may come."""
        return next(
            (
                rule
                for rule, at_most in most.items()
                for group in groups.get(rule, {}).get(ids[place], ())
                if full[rule, group] >= at_most
            ),
            None,
        )

    def placed(position: int) -> int | None:
        rule, among = spots.get(position, ("", ()))
        place = next((n for n in waiting if ids[n] in among and holding(n) is None), None)
        if place is not None:
            marks[ids[place]] = rule
            acted[rule] += 1
        return place

    def best() -> int | None:
        for place in plain:
            if place in waiting:
                if (rule := holding(place)) is None:
                    return place
                acted[rule] += 1  # and it stays out: a group never empties again
                del waiting[place]
        return None

    while len(chosen) < k:
        place = placed(len(before) + len(chosen) + 1)
        if place is None and (place := best()) is None:
            break
        del waiting[place]
        chosen.append(place)
        for rule in most:
            full.update((rule, group) for group in groups.get(rule, {}).get(ids[place], ()))
    return Arranged(chosen, marks, dict(acted))


class Rules:
    """All rules of a domain on one graph; lists: where those wait that it does not have yet."""

    def __init__(self, graph: Graph, domain: Domain, lists: ServedLists | None = None) -> None:
        self._graph, self._domain, self._lists = graph, domain, lists
        self._redis = GraphBreaker(SHARE * graph.patience.query, PAUSE_S, readers=AT_ONCE)
        self._capping = [name for name, rule in domain.rules.items() if rule.shown_at_most]
        self._most = {n: rule.at_most for n, rule in domain.rules.items() if rule.at_most}
        self._spots = {r.position: name for name, r in domain.rules.items() if r.position}
        self._matched = any(not rule.at_most for rule in domain.rules.values())

    @property
    def arranging(self) -> bool:
        """Whether any rule asks for more than leaving items out."""
        return bool(self._most or self._spots)

    def of(self, user_id: str, ids: Sequence[str] = ()) -> Ruled:
        """What the rules say of this person, whom the graph knows by `ids`; nothing is asked where
        there are none."""
        if not self._matched:
            return Ruled()
        waiting, untold = self._waiting(ids)
        matched = list_matched(self._graph, self._domain, user_id, waiting)
        placing = set(self._spots.values())
        return Ruled(
            {rule: frozenset(ids) for rule, ids in matched.items() if rule not in placing},
            {rule: ids[:MOST_PLACED] for rule, ids in matched.items() if rule in placing},
            untold,
        )

    def _waiting(self, ids: Sequence[str]) -> tuple[list[ServedRow], list[str]]:
        """What these ids were shown and the graph may not have yet, and the rules that would count
        it where Redis does not say."""
        if self._lists is None or not self._capping or not ids:
            return [], []
        try:
            return self._redis.call(self._lists.list_of, ids), []
        except PathlightError:
            return [], self._capping

    def close(self) -> None:
        """Ask Redis no more."""
        self._redis.close()

    def arranged(
        self, ids: Sequence[str], query: Query, ruled: Ruled, spare: int | None = None
    ) -> Arranged:
        """The best k of `ids` as the rules have it: see `arrange`."""
        every = [*query.before, *ids]
        groups = list_groups(self._graph, self._domain, every) if self._most else {}
        spots = {
            position: (rule, set(ruled.placed.get(rule, ())))
            for position, rule in self._spots.items()
        }
        return arrange(ids, query.k, self._most, groups, spots, query.before, spare)


def ruled_out(acted: Mapping[str, int]) -> str | None:
    """Why a list is empty that rules acted on."""
    if not acted:
        return None
    each = ", ".join(f"{rule} ({count})" for rule, count in acted.items())
    return f"the rules of the domain hold back everything that was found: {each}"
