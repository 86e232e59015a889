"""Ways to part interactions into what is learned from and what is asked for.

It knows pairs and their times; neither what learns nor how it is measured.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.data import Interactions
from training.errors import EmptySplitError, SettingError

FOLDED_SHARE = 0.2
"""Of a held-out user's entries this share is asked for, the rest is history."""


@dataclass(frozen=True)
class Split:
    """`train` is learned from, `history` is what the scorer is told of each user, `test` is asked.

    `history` is `train` unless whole users are held out. name: the split in words.
    """

    name: str
    train: Interactions
    history: Interactions
    test: Interactions

    @property
    def held_users(self) -> np.ndarray:
        """bool [U]: users of whom the training part knows nothing and the history does."""
        trained, told = (
            np.bincount(part.user_index, minlength=part.user_count) > 0
            for part in (self.train, self.history)
        )
        return told & ~trained


def split(data: Interactions, kind: str, share: float, seed: int) -> Split:
    """`data` split as `kind` (one of NAMES) says, about `share` of it asked for.

    Raises EmptySplitError when nothing is left to learn from or nothing positive to ask for.
    """
    return checked(part_by(kind, data, share, seed))


def part_by(kind: str, data: Interactions, share: float, seed: int) -> Split:
    """`split` for those who can do with an empty part. Raises SettingError for another kind."""
    if kind not in NAMES:
        raise SettingError(f"there is no split {kind!r}: expected one of {', '.join(NAMES)}")
    if kind == "users":
        return users_split(data, share, seed)
    train, test = KINDS[kind](data, share, seed)
    return Split(WORDS[kind].format(share=share), train, train, test)


def checked(found: Split) -> Split:
    """The split. Raises EmptySplitError when there is nothing to learn from or to ask for."""
    for part, lack in ((found.train, "learn from"), (found.test, "ask for")):
        if not (part.weight > 0).any():
            raise EmptySplitError(
                f"split by {found.name}: there is no positive event to {lack}; choose another split"
                " or take more events"
            )
    return found


def latest_split(data: Interactions, share: float, seed: int) -> tuple[Interactions, Interactions]:
    """Hold out the latest `share` of each user's entries (at random where there is no time).

    Rounded for each user, and never all of them: somebody with one entry keeps it. Where all have
    so few that this is nothing, the last entry of so many users, by chance, that it is the share.
    """
    train, test = _hold_last(data, data.at, lambda count: np.floor(count * share + 0.5), seed)
    if len(test):
        return train, test
    _, last = last_split(data, share, seed)
    wanted = share * len(data) / max(1, len(last))
    chosen = np.random.default_rng(seed).random(data.user_count) < wanted
    test = last.take(chosen[last.user_index])
    return _without(data, test), test


def random_split(data: Interactions, share: float, seed: int) -> tuple[Interactions, Interactions]:
    """Hold out a random `share` of each user's entries, rounded, never all of them."""
    return _hold_last(data, None, lambda count: np.floor(count * share + 0.5), seed)


def last_split(data: Interactions, share: float, seed: int) -> tuple[Interactions, Interactions]:
    """Leave each user's last entry out (of those with two or more); `share` says nothing here."""
    return _hold_last(data, data.at, np.ones_like, seed)


def time_split(data: Interactions, share: float, seed: int) -> tuple[Interactions, Interactions]:
    """Hold out every entry later than one moment T0, at which about `share` of them are.

    An entry is a pair, and as late as its latest event: it is on one side whole. Entries of one
    moment are never parted, and T0 is before the last moment. Raises EmptySplitError where there is
    no time.
    """
    if data.at is None or not len(data):
        raise EmptySplitError("split by time: the events have no times; choose another split")
    ordered = np.sort(data.at)
    t0 = ordered[min(len(data) - 1, int(np.ceil(len(data) * (1 - share))) - 1)]
    if t0 == ordered[-1] > ordered[0]:
        t0 = ordered[ordered < t0][-1]
    return data.take(data.at <= t0), data.take(data.at > t0)


def stratified_items(
    data: Interactions, share: float, seed: int
) -> tuple[Interactions, Interactions]:
    """Hold out a random `share` of each item's entries, at least one of them kept by rounding."""
    train, _ = stratified_split(data.item_index, data.item_count, 1 - share, seed)
    kept = np.zeros(len(data), bool)
    kept[train] = True
    return data.take(kept), data.take(~kept)


def users_split(data: Interactions, share: float, seed: int) -> Split:
    """Hold out whole users (strong generalisation): a random `share` of those with two entries.

    Of them the latest FOLDED_SHARE is asked for (at least one entry) and the rest is history that
    nobody learned from: the scorer folds it in.
    """
    counts = np.bincount(data.user_index, minlength=data.user_count)
    able = np.flatnonzero(counts >= 2)
    size = min(len(able), max(1, round(len(able) * share)))
    held = np.zeros(data.user_count, bool)
    held[np.random.default_rng(seed).choice(able, size, replace=False)] = True
    of_held = held[data.user_index]
    theirs = data.take(of_held)
    _, test = _hold_last(
        theirs, theirs.at, lambda count: np.maximum(1, np.round(count * FOLDED_SHARE)), seed
    )
    return Split(
        f"whole users, {share:.0%} of them, the latest {FOLDED_SHARE:.0%} of each asked for",
        data.take(~of_held),
        _without(data, test),
        test,
    )


def given_split(data: Interactions, users: np.ndarray, items: np.ndarray) -> Split:
    """Hold out exactly the pairs of `users` and `items` [N] that `data` has, as a file lists."""
    listed = users.astype(np.int64) * data.item_count + items
    held = np.isin(pairs(data), listed)
    return checked(Split("given files", data.take(~held), data.take(~held), data.take(held)))


def stratified_split(
    group: np.ndarray, group_count: int, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (train, test) with `share` of each group, drawn at random, in train.

    The semantics of recommenders-team's python_stratified_split, to the row when `group` [N] is
    in the file's order: numpy's legacy generator, half-even rounding, at least 1 by rounding.
    """
    random = np.random.RandomState(seed).rand(len(group))
    order = np.lexsort((random, group))
    rank, count = _rank_in_group(group[order], group_count)
    train = rank + 1 <= np.round(share * count)
    return order[train], order[~train]


KINDS: dict[str, Callable[[Interactions, float, int], tuple[Interactions, Interactions]]] = {
    "latest": latest_split,
    "random": random_split,
    "items": stratified_items,
    "time": time_split,
    "last": last_split,
}
WORDS = {
    "latest": "time within each user, the latest {share:.0%} asked for",
    "random": "chance within each user, {share:.0%} asked for",
    "items": "chance within each item, {share:.0%} asked for",
    "time": "one moment for all, the {share:.0%} after it asked for",
    "last": "leaving each user's last item out",
}
NAMES = (*KINDS, "users")


def _hold_last(
    data: Interactions,
    key: np.ndarray | None,
    held_count: Callable[[np.ndarray], np.ndarray],
    seed: int,
) -> tuple[Interactions, Interactions]:
    """Hold out the last of each user's entries by `key`, ties and no key by chance; never all."""
    random = np.random.default_rng(seed).random(len(data))
    order = np.lexsort((random, data.user_index if key is None else key, data.user_index))
    rank, count = _rank_in_group(data.user_index[order], data.user_count)
    held = np.empty(len(data), bool)
    held[order] = rank >= count - np.minimum(held_count(count), count - 1)
    return data.take(~held), data.take(held)


def _without(data: Interactions, part: Interactions) -> Interactions:
    return data.take(~np.isin(pairs(data), pairs(part)))


def pairs(data: Interactions) -> np.ndarray:
    """user · I + item of each entry, int64 [E]."""
    return data.user_index.astype(np.int64) * data.item_count + data.item_index


def _rank_in_group(group: np.ndarray, group_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Position inside its group and the group's size, for each row of a sorted `group`."""
    sizes = np.bincount(group, minlength=group_count)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return np.arange(len(group)) - starts[group], sizes[group]
