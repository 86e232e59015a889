"""A fitted recipe beside the baselines on one test part, none of which they learned from.

It knows recipes and splits; neither files nor who asks.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.assessment import CUTOFFS, Assessment
from training.baselines import baselines
from training.evaluation import Scores, scorer_scores
from training.groups import Property
from training.judgement import Judgement
from training.metrics import ACCURACY
from training.recipe import Fitted
from training.splits import Split
from training.world import World

DEFAULT = "default"
"""The score that serves; its graph half alone goes by the model's name."""
POINT_CUTOFF = 10


def judge_fitted(
    world: World,
    split: Split,
    fitted: Fitted,
    *,
    seed: int,
    cutoffs: Sequence[int] = CUTOFFS,
    properties: Sequence[Property] = (),
) -> Judgement | None:
    """Figures of `fitted`, which learned from `split.train` alone, of its graph half and of the
    baselines; None where the test part asks for nothing.

    world: all that is known. Raises SettingError for a cutoff below 1.
    """
    assessment = Assessment(world, split, seed, cutoffs, properties)
    if not len(assessment.users):
        return None
    return assessment.judge(
        {
            DEFAULT: fitted_scores(fitted, split),
            fitted.settings.model.name: fitted_scores(alone(fitted), split),
            **baselines(fitted.world, split.history.graph(), fitted.settings.baselines),
        }
    )


def fitted_scores(fitted: Fitted, split: Split) -> Scores:
    """The one score on the split's history; users held out whole have it from their events alone,
    for a residual that nobody learned is noise."""
    residuals = fitted.residuals
    if residuals is not None and split.held_users.any():
        residuals = np.where(split.held_users[:, None], np.float32(0), residuals)
    history, popularity = split.history.history(), split.train.popularity()
    return scorer_scores(fitted.scorer, history, residuals, popularity)


def alone(fitted: Fitted) -> Fitted:
    """Without the item–item half."""
    return replace(fitted, scorer=replace(fitted.scorer, blend=0.0))


def point_figures(judgement: Judgement | None) -> dict[str, dict[str, float]]:
    """The accuracies at POINT_CUTOFF by model, for `model.json`; nothing where nobody was asked."""
    wanted = [f"{name}@{POINT_CUTOFF}" for name in ACCURACY]
    return {
        judged.name: {name: judged.metrics[name].value for name in wanted}
        for judged in (judgement.models if judgement else ())
    }
