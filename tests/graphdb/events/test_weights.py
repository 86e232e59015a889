"""Weights of many events, and which of a person's events on one item count."""

import numpy as np
import pytest

from graphdb.events.weights import DAY_MICROS, counted, event_weights
from graphdb.specs import EventSpec

NONE = float("nan")


def weigh(spec: EventSpec, values, days) -> list[float]:
    at = -np.array(days) * DAY_MICROS
    kind = np.zeros(len(at), np.intp)
    return event_weights({"e": spec}, kind, np.array(values, float), at, 0).tolist()


def test_each_event_is_weighed_by_its_own_types_settings():
    specs = {
        "rated": EventSpec(relationship="R", value="multiply", at_least=2, half_life_days=10),
        "dismissed": EventSpec(relationship="D", weight=-1),
    }
    kind = np.array([0, 0, 0, 1])
    value = np.array([4, 1, NONE, NONE])
    at = -np.array([10, 0, 0, 99]) * DAY_MICROS

    assert event_weights(specs, kind, value, at, 0).tolist() == [2, 0, 0, -1]


@pytest.mark.faults
def test_an_event_from_after_has_not_decayed_and_a_weight_is_always_finite():
    spec = EventSpec(relationship="R", value="multiply", half_life_days=1, weight=1000)

    assert weigh(spec, [NONE, 1e308], [-5, 0]) == [1000, 0]


def test_of_repeated_events_the_heaviest_or_the_latest_counts():
    specs = {
        "each": EventSpec(relationship="A"),
        "once": EventSpec(relationship="B", counting="once"),
        "latest": EventSpec(relationship="C", counting="latest"),
    }
    kind = np.array([0, 0, 1, 1, 1, 2, 2, 2])
    pair = np.array([7, 7, 7, 7, 8, 7, 7, 8])
    at = np.array([1, 2, 1, 2, 1, 1, 2, 1])
    weight = np.array([1, 2, -5, 2, 3, 5, 2, 1.0])

    assert counted(specs, pair, kind, at, weight).tolist() == [1, 2, -5, 0, 3, 0, 2, 1]
