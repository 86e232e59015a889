"""What events weigh, many at a time: arrays in, arrays out.

The one function behind Domain.event_weight, and which events of a person and an item count at all.
It knows the domain's settings, not where events come from.
"""

from collections.abc import Mapping

import numpy as np

from graphdb.specs import EventSpec

DAY_MICROS = 86_400_000_000


def event_weights(
    specs: Mapping[str, EventSpec],
    kind: np.ndarray,
    value: np.ndarray,
    at: np.ndarray,
    as_of: int,
) -> np.ndarray:
    """[N] float64: each event's weight at `as_of`; FETCH_PERSON computes the same in Cypher.

    kind [N]: places in `specs`; value [N]: NaN without one; at [N] and `as_of` in microseconds
    since 1970. weight · value (if it multiplies) · 2^(-age / half-life); an event from after
    `as_of` has not decayed; one below `at_least` weighs nothing.
    """
    settings = list(specs.values())
    half_life = np.array([spec.half_life_days or np.inf for spec in settings])[kind]
    multiplies = np.array([spec.value == "multiply" for spec in settings])[kind]
    least = np.array([-np.inf if s.at_least is None else s.at_least for s in settings])[kind]
    weight = np.array([spec.weight for spec in settings])[kind]
    with np.errstate(over="ignore"):
        weight = np.where(multiplies & ~np.isnan(value), weight * value, weight)
    # A value is asked for only where at_least is set: NaN is not below minus infinity.
    weight = np.where((value >= least) | np.isneginf(least), weight, 0.0)
    age = np.maximum(0, as_of - at) / DAY_MICROS
    weight = weight * np.exp2(-age / half_life)
    return np.where(np.isfinite(weight), weight, 0.0)


def counted(
    specs: Mapping[str, EventSpec],
    pair: np.ndarray,
    kind: np.ndarray,
    at: np.ndarray,
    weight: np.ndarray,
) -> np.ndarray:
    """[N] float64: `weight` with zero where the type's `counting` leaves an event out.

    `pair` [N] is equal for events of one person on one item. Of equal events the last one counts.
    """
    counting = np.array([spec.counting for spec in specs.values()])[kind]
    if (counting == "each").all():
        return weight
    chosen = weight.copy()
    for way, leading in (("latest", at), ("once", np.abs(weight))):
        rows = np.flatnonzero(counting == way)
        # The winner stands last in its group: by what leads, then by time.
        order = rows[np.lexsort((at[rows], leading[rows], kind[rows], pair[rows]))]
        same = (pair[order][1:] == pair[order][:-1]) & (kind[order][1:] == kind[order][:-1])
        chosen[order[:-1][same]] = 0.0
    return chosen
