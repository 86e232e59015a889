"""A fitted recipe on a test part: as it serves, what it gives up for that, and the baselines."""

from collections.abc import Callable
from dataclasses import replace

from training.data import Interactions
from training.fitted import Fitted, untruncated_scores
from training.judging.baselines import baselines
from training.judging.evaluation import rank, scorer_scores


def judge(
    fitted: Fitted,
    test: Interactions,
    k: int = 10,
    tell: Callable[[str, dict[str, float]], None] = lambda name, metrics: None,
) -> dict[str, dict[str, float]]:
    """Metrics on `test` of the score that serves ("default"), the same with its item–item weights
    whole ("untruncated"), the model alone, and the baselines; each is told when it is there."""
    train, scorer, settings = fitted.world.interactions, fitted.scorer, fitted.settings
    known, popularity = train.history(), train.popularity()
    wanted = test.take(test.weight > 0).history()
    alone = replace(scorer, blend=0.0)
    models = {
        "default": scorer_scores(scorer, known, fitted.residuals, popularity),
        "untruncated": untruncated_scores(fitted),
        settings.model.name: scorer_scores(alone, known, fitted.residuals, popularity),
        **baselines(fitted.world, forms=settings.baselines),
    }
    found = {}
    for name, scores in models.items():
        found[name] = rank(scores, known, wanted, k).metrics()
        tell(name, found[name])
    return found
