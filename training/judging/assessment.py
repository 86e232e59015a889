"""Models beside each other on one test part: everything that a judgement holds.

Each model ranks the whole catalogue once, to the largest cutoff. It knows scores, not models.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from training.errors import SettingError
from training.judging.evaluation import Ranking, Scores, rank
from training.judging.groups import Property, activity_properties, item_groups, user_groups
from training.judging.intervals import PerUser, intervals, list_interval, permutation_p
from training.judging.judgement import Interval, Judged, Judgement, Paired
from training.judging.metrics import (
    accuracy,
    coverage,
    diversity,
    gini,
    listed_mean,
    self_information,
    unit_rows,
)
from training.judging.ratings import RatedScores, Ratings
from training.splits import Split
from training.world import World

CUTOFFS = (10, 20)
PAIRED = ("ndcg", "recall")
COLD = 5
"""Users and items of fewer entries are cold."""
KEPT_USERS = 20_000
"""Users whose own figures a judgement keeps: a paired test of more would find nothing else."""
DIVERSITY_USERS = 2_000
"""Intra-list diversity is of a sample: lists of popular items make long sums."""


@dataclass(frozen=True)
class Features:
    """What items are compared by for diversity: unit rows [I, f], and in words what they are."""

    rows: np.ndarray | sp.csr_matrix
    words: str

    @staticmethod
    def of(world: World) -> "Features":
        """Text vectors, else attribute nodes, else who met the items in `world.interactions`."""
        if world.text is not None:
            return Features(unit_rows(world.text), "text vectors")
        attributes = [
            sp.csr_matrix(
                (np.ones(relation.edge_index.shape[1], np.float32), relation.edge_index),
                (world.interactions.item_count, world.node_counts[relation.end]),
            )
            for relation in world.relations
            if relation.start == "item" and relation.end in world.node_counts
        ]
        if attributes:
            return Features(unit_rows(sp.csr_matrix(sp.hstack(attributes))), "attributes")
        return Features(unit_rows(sp.csr_matrix(world.graph.T)), "the people who met them")


@dataclass(frozen=True)
class Assessment:
    """One test part and how it is measured.

    world: all that is known, of which the split is; properties: groups beside those by activity.
    Raises SettingError for a cutoff below 1.
    """

    world: World
    split: Split
    seed: int
    cutoffs: Sequence[int] = CUTOFFS
    properties: Sequence[Property] = ()

    def __post_init__(self) -> None:
        if not self.cutoffs or min(self.cutoffs) < 1:
            raise SettingError(
                f"cutoffs are {list(self.cutoffs)}, expected whole numbers of at least 1"
            )

    @cached_property
    def known(self) -> sp.csr_matrix:
        """[U, I]: what the scorer is told, and never recommends."""
        return self.split.history.history()

    @cached_property
    def wanted(self) -> sp.csr_matrix:
        """[U, I] positive test entries."""
        return self.split.test.take(self.split.test.weight > 0).history()

    @cached_property
    def users(self) -> np.ndarray:
        """Rows of the users who have positive test entries: those that are tested."""
        return np.flatnonzero(np.diff(self.wanted.indptr))

    @cached_property
    def ratings(self) -> Ratings | None:
        """The test part's values, if events have any."""
        return Ratings.of(self.world.events, self.split.history, self.split.test)

    @cached_property
    def features(self) -> Features:
        """What items are compared by."""
        return Features.of(self.world.with_interactions(self.split.train))

    @cached_property
    def learned(self) -> np.ndarray:
        """[I] positive entries that were learned from."""
        train = self.split.train
        return np.bincount(train.item_index[train.weight > 0], minlength=train.item_count)

    def judge(self, models: Mapping[str, Scores]) -> Judgement:
        """Every model's figures, and the first's differences from each other one."""
        cutoffs = sorted(set(self.cutoffs))
        judged, each = [], {}
        for name, scores in models.items():
            found, values = self._judge_one(name, scores, cutoffs)
            judged.append(found)
            each[name] = values
        return Judgement(
            split=self.split.name,
            seed=self.seed,
            cutoffs=cutoffs,
            users=len(self.users),
            models=judged,
            paired=self._paired(each, cutoffs),
            notes={"diversity": f"by {self.features.words}", "cold": f"fewer than {COLD} entries"},
            tested=self.digest,
            each=self._kept(next(iter(each.values()), {}), cutoffs),
        )

    def _judge_one(
        self, name: str, scores: Scores, cutoffs: list[int]
    ) -> tuple[Judged, dict[str, np.ndarray]]:
        rated = RatedScores(scores, self.ratings) if self.ratings else None
        ranking = rank(rated or scores, self.known, self.wanted, cutoffs[-1], self.users)
        values = self._values(ranking, cutoffs)
        measures = {metric: PerUser.mean(each) for metric, each in values.items()}
        measures |= rated.errors(self.users) if rated else {}
        metrics = intervals(measures, self.seed) | self._of_all_lists(ranking, cutoffs)
        warm, cold = (self._part(ranking, values, cutoffs, cold) for cold in (False, True))
        everybodys = activity_properties(self.split.train, self.split.history)
        groups = {
            made.name: user_groups(made, ranking, values)
            if made.side == "user"
            else item_groups(made, ranking, self.wanted, cutoffs)
            for made in (*everybodys, *self.properties)
        }
        return Judged(name=name, metrics=metrics, warm=warm, cold=cold, groups=groups), values

    def _values(self, ranking: Ranking, cutoffs: list[int]) -> dict[str, np.ndarray]:
        """[T] of each metric that is of one user's list."""
        bits = self_information(self.learned, self.split.train.user_count)
        share = self.learned / max(self.split.train.user_count, 1)
        drawn = np.random.default_rng(self.seed).permutation(len(self.users))[:DIVERSITY_USERS]
        values = _accuracies(ranking, cutoffs)
        for k in cutoffs:
            lists = ranking.items[:, :k]
            values[f"novelty@{k}"] = listed_mean(lists, bits)
            values[f"popularity@{k}"] = listed_mean(lists, share)
            values[f"diversity@{k}"] = np.full(len(lists), np.nan)
            values[f"diversity@{k}"][drawn] = diversity(lists[drawn], self.features.rows)
        return values

    def _of_all_lists(self, ranking: Ranking, cutoffs: list[int]) -> dict[str, Interval]:
        items = len(self.learned)
        return {
            f"{name}@{k}": list_interval(ranking.items[:, :k], items, figure, self.seed)
            for name, figure in (("coverage", coverage), ("gini", gini))
            for k in cutoffs
        }

    def _part(
        self, ranking: Ranking, values: dict[str, np.ndarray], cutoffs: list[int], cold: bool
    ) -> dict[str, Interval]:
        """The accuracy of cold (or warm) items, and under `users.` of cold (or warm) users."""
        items = (self.learned < COLD) == cold
        told = np.diff(self.known.indptr)[self.users]
        mine = (told < COLD) == cold
        of_items = _accuracies(ranking.among(items, self.wanted[self.users]), cutoffs)
        of_users = {f"users.{name}": values[name][mine] for name in of_items}
        return {
            name: interval
            for part in (of_items, of_users)
            for name, interval in intervals(
                {name: PerUser.mean(each) for name, each in part.items()}, self.seed
            ).items()
        }

    @cached_property
    def digest(self) -> str:
        """Of who was asked for what, knowing what: equal for two models tested alike."""
        made = hashlib.sha256()
        for matrix in (self.known, self.wanted):
            for part in (matrix.shape, matrix.indptr, matrix.indices):
                made.update(np.asarray(part, np.int64).tobytes())
        return made.hexdigest()

    def _kept(self, values: dict[str, np.ndarray], cutoffs: list[int]) -> dict[str, list[float]]:
        """Figures of single users, for a paired test against a model that is judged elsewhere."""
        # Not by the seed: a model judged with another one has to keep the same users.
        generator = np.random.default_rng(int(self.digest[:16], 16))
        drawn = np.sort(generator.permutation(len(self.users))[:KEPT_USERS])
        names = [f"{name}@{k}" for k in cutoffs for name in PAIRED]
        return {name: values[name][drawn].round(6).tolist() for name in names if name in values}

    def _paired(self, each: dict[str, dict[str, np.ndarray]], cutoffs: list[int]) -> list[Paired]:
        first, *others = each
        found = {
            (other, metric): each[first][metric] - each[other][metric]
            for other in others
            for metric in (f"{name}@{k}" for k in cutoffs for name in PAIRED)
        }
        if not found:
            return []
        ps = permutation_p(np.stack(list(found.values()), axis=1), self.seed)
        differences = intervals(
            {f"{other} {metric}": PerUser.mean(d) for (other, metric), d in found.items()},
            self.seed,
        )
        return [
            Paired(
                first=first,
                second=other,
                metric=metric,
                difference=differences[f"{other} {metric}"],
                p=p,
            )
            for (other, metric), p in zip(found, ps, strict=True)
        ]


def _accuracies(ranking: Ranking, cutoffs: list[int]) -> dict[str, np.ndarray]:
    return {
        f"{name}@{k}": values
        for k in cutoffs
        for name, values in accuracy(ranking.hits, ranking.relevant, k).items()
    }
