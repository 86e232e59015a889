"""Fitted recipes beside the baselines on one test part, none of which they learned from.

It knows recipes and splits; neither files nor who asks.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from training.fitted import Fitted
from training.judging.assessment import Assessment
from training.judging.baselines import baselines
from training.judging.evaluation import Scores, scorer_scores
from training.judging.judgement import Judgement
from training.judging.metrics import ACCURACY
from training.splits import Split, checked

DEFAULT = "default"
"""The score that serves; its graph half alone goes by the model's name."""
POINT_CUTOFF = 10


def judge_fitted(
    assessment: Assessment, fitted: Fitted, others: Mapping[str, Fitted] | None = None
) -> Judgement:
    """Figures of `fitted`, of its graph half, of `others` by name and of the baselines, which all
    learned from the training part of the assessment's split alone.

    Raises EmptySplitError where nothing is asked for.
    """
    split = checked(assessment.split)
    models = {DEFAULT: fitted, fitted.settings.model.name: alone(fitted), **(others or {})}
    scores = {name: fitted_scores(model, split) for name, model in models.items()}
    known = assessment.world.with_interactions(split.train)
    forms = fitted.settings.baselines
    return assessment.judge(scores | baselines(known, split.history.graph(), forms))


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
    """The accuracies at POINT_CUTOFF by model, for `model.json`; nothing without a judgement."""
    wanted = [f"{name}@{POINT_CUTOFF}" for name in ACCURACY]
    return {
        judged.name: {name: judged.metrics[name].value for name in wanted}
        for judged in (judgement.models if judgement else ())
    }
