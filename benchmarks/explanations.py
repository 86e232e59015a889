"""Whether reasons are reasons: what a score loses without the one that is named first.

    python -m benchmarks.explanations ARTIFACT [ARTIFACT …] [--users 500] [--seed 1]

For `--users` people of each artifact with two events or more, drawn at random, the best item that
they have not seen is explained. Its top reason, the event with the largest share, is removed and
the item scored again by the same scorer; so is, for comparison, one of the person's other events
at random. faithful: the share of people whose score falls without the top reason; its reference is
that of the random event. drop_ratio: the mean fall without the top reason, its reference the mean
fall without the random event.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from api.reasons.explanation import without_events
from api.reasons.reasons import reasons_for
from api.serving.mapped import History, MappedVersion, mapped
from api.serving.people import People
from api.serving.withheld import Withheld
from benchmarks.figures import show
from training.artifact import ArtifactError, read_artifact


def score(version: MappedVersion, history: History, row: int) -> float:
    """The exact score of one item row."""
    [(found, _)] = reasons_for(version, history, np.array([row]), 1)
    return found


def falls(
    version: MappedVersion, history: History, draw: np.random.Generator
) -> tuple[float, float] | None:
    """What the best unseen item loses without its top reason, and without another event.

    None where no event speaks for the item: then there is no reason to remove.
    """
    scores = version.artifact.scorer.scores(history.row, history.residuals)[0]
    scores[list(history.seen)] = -np.inf
    best = int(np.argmax(scores))
    [(before, reasons)] = reasons_for(version, history, np.array([best]), history.row.nnz)
    events = [reason for reason in reasons if reason.kind == "event"]
    top = max(events, key=lambda reason: reason.share)
    if not top.share:
        return None
    top_row = version.item_rows[top.item_id or ""]
    other = int(draw.choice(history.row.indices[history.row.indices != top_row]))
    lost = [before - score(version, without_events(history, [r]), best) for r in (top_row, other)]
    return lost[0], lost[1]


def measure(version: MappedVersion, users: int, seed: int) -> np.ndarray:
    """[users, 2]: the falls without the top reason and without a random event."""
    artifact, draw = version.artifact, np.random.default_rng(seed)
    catalogue = len(artifact.item_ids)
    events, seen = (np.diff(m.indptr) for m in (artifact.history, artifact.seen))
    found = []
    for user in draw.permutation(np.flatnonzero((events >= 2) & (seen < catalogue))):
        history = version.history([artifact.user_keys[user]], [])
        if (lost := falls(version, history, draw)) is not None:
            found.append(lost)
        if len(found) == users:
            break
    return np.array(found).reshape(-1, 2)


def main() -> None:
    """Measure and print two figures an artifact."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifacts", type=Path, nargs="+", help="folders that training wrote")
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for folder in options.artifacts:
        try:
            artifact = read_artifact(folder)
        except (ArtifactError, OSError) as error:
            sys.exit(f"{folder} cannot be read: {error}")
        version = mapped(artifact, "", People(), Withheld(artifact.item_ids))
        lost = measure(version, options.users, options.seed)
        if not len(lost):
            sys.exit(f"{folder}: nobody there has two events and an item to explain")
        told = {"artifact": artifact.model.id, "users": len(lost)}
        fell, mean = (lost > 0).mean(axis=0), lost.mean(axis=0)
        show("explanations.faithful", float(fell[0]), "share", float(fell[1]), **told)
        show("explanations.drop_ratio", float(mean[0]), "score", float(mean[1]), **told)


if __name__ == "__main__":
    main()
