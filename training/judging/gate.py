"""Whether a newly judged recipe may serve: refused when measurably worse than what serves, or than
popularity.

It knows a judgement; neither how it was measured nor what is published. No torch.
"""

from dataclasses import dataclass

from training.judging.judgement import Judgement, Paired

SERVING = "serving"
"""The name in a judgement of the recipe that serves."""
METRIC = "ndcg@10"
RIVALS = {SERVING: "the recipe that serves", "popularity": "popularity"}
LEVEL = 0.05


@dataclass(frozen=True)
class Verdict:
    """`sentence` says why, whether it is `refused` or not."""

    refused: bool
    sentence: str


def verdict(judgement: Judgement | None) -> Verdict:
    """Of the judgement's first model; None is one that could not be made.

    Measurably worse: the paired difference's 95 % interval lies wholly below zero and the
    permutation test gives less than LEVEL, which fewer than six people never do.
    """
    if judgement is None:
        return Verdict(False, "nothing was held out to judge by: too few events")
    compared = [pair for pair in judgement.paired if pair.metric == METRIC]
    rivals = [pair for pair in compared if pair.second in RIVALS]
    for pair in rivals:
        if pair.difference.high < 0 and pair.p < LEVEL:
            worse = f"measurably worse than {RIVALS[pair.second]}"
            return Verdict(True, f"the new recipe is {worse}: {_words(judgement, pair)}")
    found = "; ".join(f"{RIVALS[pair.second]}: {_words(judgement, pair)}" for pair in rivals)
    untold = "".join(f"; {judgement.notes[name]}" for name in (SERVING,) if name in judgement.notes)
    return Verdict(False, f"the new recipe is not measurably worse than {found}{untold}")


def _words(judgement: Judgement, pair: Paired) -> str:
    mine, other = (
        judgement.model(name).metrics[pair.metric].value for name in (pair.first, pair.second)
    )
    d = pair.difference
    return (
        f"{pair.metric} {mine:.4f} against {other:.4f}, a difference of {d.value:+.4f}"
        f" ({d.low:+.4f} to {d.high:+.4f}, p {pair.p:.2g}) over {judgement.users:,} people"
    )
