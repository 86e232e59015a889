"""Re-ranking: which candidates of one person make a list, when its order is not by score alone.

Evaluation and serving both call `reranked`: what a dial costs was measured on lists as they are
served. Every dial goes from 0, where it does nothing, to 1, where it alone decides:

    worth    = relevance, mixed with rarity (novelty) and with chance (rotation)
    gain     = (1-d) (1-c) worth - d · closest - c · KL(taste, list)     greedily, place by place

`closest` is the largest cosine with what is listed already (maximal marginal relevance, Carbonell
and Goldstein 1998), KL how far the list's categories are from the person's (Steck 2018). It knows
arrays only; neither torch nor the graph.
"""

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import scipy.sparse as sp
from pydantic import BaseModel, ConfigDict, Field, field_validator

WIDTH = 100
"""Beyond k so many candidates are chosen from: the index finds these for certain."""
SMOOTHING = 0.01
"""Of the person's own shares in the list's, lest a category that is not listed costs infinitely."""
HEAVIEST = 1_000
"""Items of a history that say what its categories are: the heaviest."""

GroupShare = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}:(0|1|1\.0|0?\.[0-9]{1,4})$")]
Dial = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Dials(BaseModel):
    """How a list's order departs from the scores; each 0 unless given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    diversity: Dial = Field(0, description="How unlike each other the items are to be.")
    novelty: Dial = Field(0, description="How far rare items go before popular ones.")
    calibration: Dial = Field(
        0, description="How closely the list's categories follow the person's own shares."
    )
    rotation: Dial = Field(0, description="How much of the order is chance, drawn anew each hour.")
    min_relevance: Dial = Field(
        0, description="What part of the best score an item has at least; fewer than k may be left."
    )
    exposure: list[GroupShare] = Field(
        [],
        max_length=5,
        description="Groups of makers and the least share of the list that each has.",
        examples=[["small:0.2"]],
    )

    @field_validator("exposure")
    @classmethod
    def _each_group_once(cls, exposure: list[str]) -> list[str]:
        names = [text.partition(":")[0] for text in exposure]
        if len(set(names)) < len(names):
            raise ValueError("each group once")
        return exposure

    @property
    def shares(self) -> dict[str, float]:
        """The least share of each group of makers."""
        return {name: float(share) for name, _, share in (e.partition(":") for e in self.exposure)}

    def turned(self) -> list[str]:
        """Names of the dials that do something."""
        return [name for name in Dials.model_fields if getattr(self, name)]


@dataclass(frozen=True)
class Bounds:
    """How often members of groups are listed: `members` bool [N, G], of which at each length n of
    the list at least floor(least · n) are in it, while there are any.
    """

    members: np.ndarray
    least: np.ndarray

    @staticmethod
    def none(count: int) -> "Bounds":
        return Bounds(np.zeros((count, 0), bool), np.zeros(0))


@dataclass(frozen=True)
class Candidates:
    """One person's candidates, best first.

    scores: [N]; vectors: [N, d], rows of unit length or zero; popularity: [N]; draws: [N] in
    [0, 1); kinds: [N, C] each item's share in each category; taste: [C] the person's, sum 1 or 0.
    """

    scores: np.ndarray
    vectors: np.ndarray
    popularity: np.ndarray
    draws: np.ndarray
    kinds: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    taste: np.ndarray = field(default_factory=lambda: np.zeros(0))


def reranked(candidates: Candidates, dials: Dials, k: int, bounds: Bounds) -> np.ndarray:
    """Places among the candidates of the at most k that are listed, in the list's order."""
    open_ = relevant(candidates.scores, dials.min_relevance)
    worth = _worth(candidates, dials, k)
    apart, like = dials.diversity, dials.calibration if candidates.taste.any() else 0.0
    towards = (1 - apart) * (1 - like)
    held = np.flatnonzero(candidates.taste)
    taste, kinds = candidates.taste[held], candidates.kinds[:, held] if like else None
    listed, mix = [], np.zeros(len(held))
    closest = np.zeros(len(worth))
    counts = np.zeros(len(bounds.least), np.int64)
    while len(listed) < k:
        free = open_
        lacking = counts < np.floor(bounds.least * (len(listed) + 1) + 1e-9)
        helped = bounds.members[:, lacking].sum(axis=1) * free
        if helped.any():
            free = free & (helped == helped.max())
        if not free.any():
            break
        gain = towards * worth - apart * closest
        if kinds is not None:
            gain = gain - like * _divergence(taste, (mix + kinds) / (len(listed) + 1))
        # argmax takes the first of equals: the best scored.
        best = int(np.argmax(np.where(free, gain, -np.inf)))
        listed.append(best)
        open_[best] = False
        counts += bounds.members[best]
        if apart:
            closest = np.maximum(closest, candidates.vectors @ candidates.vectors[best])
        if kinds is not None:
            mix = mix + kinds[best]
    return np.array(listed, np.int64)


def shortlisted(count: int, k: int, members: np.ndarray) -> np.ndarray:
    """Places among `count` candidates, best first, that a list of k is chosen from: the best, and
    the best k of each group of `members` bool [count, G]."""
    chosen = np.arange(count) < k + WIDTH
    chosen |= (members & (np.cumsum(members, axis=0) <= k)).any(axis=1)
    return np.flatnonzero(chosen)


def relevant(scores: np.ndarray, least: float) -> np.ndarray:
    """bool [N]: which score at least `least` of the best and, where that is asked, above zero."""
    if not least or not len(scores):
        return np.ones(len(scores), bool)
    return (scores > 0) & (scores >= least * scores.max())


def kind_shares(members: np.ndarray) -> np.ndarray:
    """[N, C] each item's share in each of its categories, of bool [N, C]."""
    counts = members.sum(axis=1, keepdims=True)
    return members / np.maximum(counts, 1)


def taste_of(weights: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """[C] shares of the categories in a history of positive `weights` [n] on items of `kinds`."""
    held = weights @ kinds
    total = held.sum()
    return held / total if total > 0 else held


def miscalibration(taste: np.ndarray, kinds: np.ndarray) -> float:
    """How far the categories of a list of `kinds` [n, C] are from a person's: KL, in nats."""
    held = np.flatnonzero(taste)
    return float(_divergence(taste[held], kinds[:, held].mean(axis=0)[None, :])[0])


def heaviest(row: sp.csr_matrix, cap: float) -> tuple[np.ndarray, np.ndarray]:
    """Items and capped weights of the HEAVIEST positive entries of a history of one row."""
    weights = np.minimum(row.data, cap)
    order = np.argsort(-weights, kind="stable")[:HEAVIEST]
    order = order[weights[order] > 0]
    return row.indices[order], weights[order].astype(float)


def draws(seed: int, rows: np.ndarray) -> np.ndarray:
    """[N] in [0, 1) by seed and item row: another item more or less changes nobody else's."""
    # SplitMix64 (Steele, Lea and Flood 2014).
    steps = (rows.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = np.array([seed % 2**64], np.uint64) + steps
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)) / 2.0**53


def _worth(candidates: Candidates, dials: Dials, k: int) -> np.ndarray:
    """[N] in [0, 1]: relevance within the best k + WIDTH, turned by novelty and rotation."""
    scores = candidates.scores.astype(float)
    worth = _spread(scores, scores[min(len(scores), k + WIDTH) - 1] if len(scores) else 0.0)
    if dials.novelty:
        rarity = -np.log1p(np.maximum(candidates.popularity.astype(float), 0))
        rare = _spread(rarity, rarity.min(initial=0.0))
        worth = (1 - dials.novelty) * worth + dials.novelty * rare
    if dials.rotation:
        worth = (1 - dials.rotation) * worth + dials.rotation * candidates.draws
    return worth


def _spread(values: np.ndarray, least: float) -> np.ndarray:
    """Values from `least` (or below it), 0, to the largest, 1."""
    width = values.max(initial=least) - least
    return np.clip((values - least) / width, 0, 1) if width > 0 else np.zeros(len(values))


def _divergence(taste: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """[N] KL(taste, row) of each row of `shares` [N, C], smoothed; taste: positive [C]."""
    smooth = (1 - SMOOTHING) * shares + SMOOTHING * taste
    return (taste * np.log(taste / smooth)).sum(axis=1)
