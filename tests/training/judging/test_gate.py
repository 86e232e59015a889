"""The gate's verdict on judgements made for it."""

import pytest

from training.judging.gate import SERVING, verdict
from training.judging.judgement import Interval, Judged, Judgement, Paired


def judgement(differences: dict[str, tuple[float, float, float, float]], **notes: str) -> Judgement:
    """The default at .2 and each rival as far above as (difference, low, high, p) says."""
    values = {"default": 0.2, **{name: 0.2 - d[0] for name, d in differences.items()}}
    return Judgement(
        split="time",
        seed=1,
        cutoffs=[10],
        users=1234,
        models=[
            Judged(name=name, metrics={"ndcg@10": Interval(value=value, low=0, high=1)})
            for name, value in values.items()
        ],
        paired=[
            Paired(
                first="default",
                second=name,
                metric=metric,
                difference=Interval(value=value, low=low, high=high),
                p=p,
            )
            for name, (value, low, high, p) in differences.items()
            for metric in ("recall@10", "ndcg@10")
        ],
        notes=notes,
    )


BETTER, LEVEL = (0.05, 0.04, 0.06, 0.001), (-0.01, -0.03, 0.01, 0.3)
WORSE = (-0.05, -0.06, -0.04, 0.0005)


@pytest.mark.parametrize("rival", [SERVING, "popularity"])
def test_measurably_worse_is_refused_in_one_sentence_with_its_figures(rival):
    found = verdict(judgement({SERVING: BETTER, "popularity": BETTER} | {rival: WORSE}))

    assert found.refused
    assert "measurably worse than" in found.sentence
    assert "ndcg@10 0.2000 against 0.2500, a difference of -0.0500" in found.sentence
    assert "(-0.0600 to -0.0400, p 0.0005) over 1,234 people" in found.sentence


@pytest.mark.parametrize(
    "difference",
    [BETTER, LEVEL, (-0.05, -0.06, -0.04, 0.06), (-0.05, -0.1, 0.0, 0.01)],
    ids=["better", "level", "too few people to say", "interval touches zero"],
)
def test_what_is_not_measurably_worse_passes_and_says_against_whom(difference):
    found = verdict(judgement({SERVING: difference, "popularity": BETTER}))

    assert not found.refused
    assert "the recipe that serves: ndcg@10 0.2000" in found.sentence
    assert "popularity: ndcg@10 0.2000 against 0.1500" in found.sentence


def test_only_what_serves_and_popularity_stand_in_the_way():
    assert not verdict(judgement({"ease": WORSE, "popularity": BETTER})).refused


def test_why_what_serves_was_not_compared_is_told():
    found = verdict(judgement({"popularity": BETTER}, serving="what serves was not compared: old"))

    assert not found.refused
    assert "what serves was not compared: old" in found.sentence


def test_without_a_judgement_it_passes_and_says_so():
    found = verdict(None)

    assert (found.refused, "too few events" in found.sentence) == (False, True)
