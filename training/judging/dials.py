"""What each dial costs in NDCG and what it buys, on lists re-ranked as they are served.

It knows scores and a snapshot's properties; not how a dial works (training.reranking).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from pydantic import BaseModel, ConfigDict

from graphdb.snapshot import Snapshot
from training.errors import SettingError
from training.fitted import Fitted
from training.judging.assessment import Assessment
from training.judging.contest import fitted_scores
from training.judging.evaluation import Ranking, batches, found_in
from training.judging.groups import find_property
from training.judging.intervals import PerUser, intervals, permutation_p
from training.judging.judgement import Dialled
from training.judging.metrics import diversity, listed_mean, self_information, unit_rows
from training.named import checked
from training.reranking import (
    Bounds,
    Candidates,
    Dials,
    draws,
    heaviest,
    kind_shares,
    miscalibration,
    reranked,
    shortlisted,
    taste_of,
)

MOST_USERS = 2_000
"""Lists are chosen greedily, one person at a time: of more people a sample says enough."""
GROUP = "exposure of {}"


class Kinds(BaseModel):
    """The properties of items that dials speak of: what says their categories and their makers,
    and the makers of each group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    categories: str | None = None
    makers: str | None = None
    groups: dict[str, list[str]] = {}


@dataclass(frozen=True)
class Turned:
    """One dial at one value."""

    dial: str
    value: str
    dials: Dials


@dataclass(frozen=True)
class ItemKinds:
    """By item row: `shares` [I, C] in each category, and the `groups` bool [I] by name."""

    shares: np.ndarray
    groups: dict[str, np.ndarray] = field(default_factory=dict)

    @staticmethod
    def of(snapshot: Snapshot, kinds: Kinds, turned: Sequence[Turned]) -> "ItemKinds":
        """What the dials need of the snapshot. Raises SettingError, UnknownPropertyError."""
        items, shares = snapshot.items.num_rows, np.zeros((snapshot.items.num_rows, 0))
        if any(one.dials.calibration for one in turned):
            if kinds.categories is None:
                raise SettingError("calibration: the domain says no field in item.categories")
            found = find_property(snapshot, kinds.categories, most=None)
            shares = kind_shares(found.members.toarray() > 0)
        groups = {name: np.zeros(items, bool) for one in turned for name in one.dials.shares}
        if groups and kinds.makers is None:
            raise SettingError("exposure: the domain says no field in item.makers")
        for name in groups:
            if name not in kinds.groups:
                known = ", ".join(kinds.groups) or "none, for the domain has no groups"
                raise SettingError(f"exposure: no group {name!r}: expected one of {known}")
            found = find_property(snapshot, kinds.makers or "", most=None)
            chosen = np.isin(found.values, kinds.groups[name])
            groups[name] = np.asarray(found.members[:, chosen].sum(axis=1)).ravel() > 0
        return ItemKinds(shares, groups)


def read_dials(words: Sequence[str]) -> list[Turned]:
    """`NAME=VALUE,VALUE` as dials turned to each value. Raises SettingError."""
    found = []
    for text in words:
        name, _, values = text.partition("=")
        if name not in Dials.model_fields:
            known = ", ".join(Dials.model_fields)
            raise SettingError(f"there is no dial {name!r}: expected one of {known}")
        for value in values.split(","):
            given = [value] if name == "exposure" else value
            found.append(Turned(name, value, checked(Dials, "dial", {name: given})))
    return found


@dataclass(frozen=True)
class DialTrial:
    """People of a test part, their candidates, and lists made of them."""

    assessment: Assessment
    fitted: Fitted
    kinds: ItemKinds
    k: int

    @cached_property
    def users(self) -> np.ndarray:
        """Rows of those who are tested and have events: nobody else has a list of their own."""
        asked = self.assessment.users
        mine = asked[np.diff(self.assessment.known.indptr)[asked] > 0]
        drawn = np.random.default_rng(self.assessment.seed).permutation(len(mine))[:MOST_USERS]
        return mine[np.sort(drawn)]

    def judge(self, turned: Sequence[Turned]) -> list[Dialled]:
        """Each dial's cost against the order of the scores, and what it buys there."""
        plain = Turned("", "", Dials())
        again = [Turned(t.dial, t.value, t.dials) for t in turned if t.dials.rotation]
        lists = self._lists([plain, *turned], self.assessment.seed)
        later = iter(self._lists(again, self.assessment.seed + 1)) if again else iter(())
        before, *after = lists
        gains = [self._ndcg(found) for found in lists]
        if not len(self.users):
            return []
        costs = np.stack([gains[0] - gain for gain in gains[1:]], axis=1)
        ps = permutation_p(costs, self.assessment.seed)
        judged = []
        for n, (one, found) in enumerate(zip(turned, after, strict=True)):
            figures = intervals(
                {"ndcg": PerUser.mean(gains[n + 1]), "cost": PerUser.mean(costs[:, n])},
                self.assessment.seed,
            )
            if one.dials.rotation:
                bought, then, now = "changed", 0.0, _changed(found, next(later))
            else:
                bought, measure = self._measure(one)
                then, now = (float(np.nanmean(measure(lists))) for lists in (before, found))
            judged.append(
                Dialled(
                    dial=one.dial,
                    value=one.value,
                    cutoff=self.k,
                    users=len(self.users),
                    ndcg=figures["ndcg"],
                    cost=figures["cost"],
                    p=ps[n],
                    bought=bought,
                    before=then,
                    after=now,
                )
            )
        return judged

    def _lists(self, turned: Sequence[Turned], seed: int) -> list[np.ndarray]:
        """int [T, k] by dial: item rows, -1 where a list ends."""
        known, split = self.assessment.known, self.assessment.split
        scores, popularity = fitted_scores(self.fitted, split), split.train.popularity()
        lists = [np.full((len(self.users), self.k), -1, np.int64) for _ in turned]
        place = 0
        for batch in batches(self.users, known.shape[1]):
            for user, row in zip(batch, scores(batch), strict=True):
                row[known[user].indices] = -np.inf
                order = np.argsort(-row, kind="stable")
                order = order[row[order] > -np.inf]
                for n, one in enumerate(turned):
                    found = self._list(one, int(user), row, order, popularity, seed)
                    lists[n][place, : len(found)] = found
                place += 1
        return lists

    def _list(
        self,
        one: Turned,
        user: int,
        scores: np.ndarray,
        order: np.ndarray,
        popularity: np.ndarray,
        seed: int,
    ) -> np.ndarray:
        least = np.array(list(one.dials.shares.values()))
        groups = [self.kinds.groups[name][order] for name in one.dials.shares]
        members = np.stack(groups, axis=1) if groups else Bounds.none(len(order)).members
        places = shortlisted(len(order), self.k, members)
        rows, scorer = order[places], self.fitted.scorer
        found = Candidates(
            scores=scores[rows],
            vectors=np.asarray(unit_rows(scorer.item_vectors[rows])),
            popularity=popularity[rows],
            draws=draws(seed * 1_000_003 + user, rows),
            kinds=self.kinds.shares[rows],
            taste=self._taste(user),
        )
        bounds = Bounds(members[places], least)
        return rows[reranked(found, one.dials, self.k, bounds)]

    def _taste(self, user: int) -> np.ndarray:
        mine, weights = heaviest(self.assessment.known[user], self.fitted.scorer.weight_cap)
        return taste_of(weights, self.kinds.shares[mine])

    def _ranking(self, lists: np.ndarray) -> Ranking:
        wanted = self.assessment.wanted[self.users]
        return Ranking(self.users, lists, found_in(lists, wanted), np.diff(wanted.indptr))

    def _ndcg(self, lists: np.ndarray) -> np.ndarray:
        return self._ranking(lists).ndcg()

    def _measure(self, one: Turned) -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
        """What the dial is for: the measure's name, and [T] of lists [T, k]."""
        if one.dial == "exposure":
            (name,) = one.dials.shares
            members = self.kinds.groups[name]
            return f"share of {name}", lambda lists: listed_mean(lists, members)
        return {
            "diversity": ("diversity", self._diversity),
            "novelty": ("novelty", self._novelty),
            "calibration": ("miscalibration", self._miscalibration),
            "min_relevance": ("precision of what is listed", self._precision),
        }[one.dial]

    def _diversity(self, lists: np.ndarray) -> np.ndarray:
        return diversity(lists, self.assessment.features.rows)

    def _novelty(self, lists: np.ndarray) -> np.ndarray:
        people = self.assessment.split.train.user_count
        return listed_mean(lists, self_information(self.assessment.learned, people))

    def _miscalibration(self, lists: np.ndarray) -> np.ndarray:
        return np.array(
            [
                miscalibration(self._taste(int(user)), self.kinds.shares[items[items >= 0]])
                for user, items in zip(self.users, lists, strict=True)
            ]
        )

    def _precision(self, lists: np.ndarray) -> np.ndarray:
        listed = (lists >= 0).sum(axis=1)
        hits = self._ranking(lists).hits.sum(axis=1)
        return np.divide(hits, listed, where=listed > 0, out=np.full(len(lists), np.nan))


def _changed(lists: np.ndarray, later: np.ndarray) -> float:
    """The share of the places of a list whose items are not in the next one."""
    kept = [np.isin(mine, others).mean() for mine, others in zip(lists, later, strict=True)]
    return float(1 - np.mean(kept))
