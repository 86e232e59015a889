"""From a snapshot's directory to an artifact's: hold out, fit, judge, refit on everything, write.

It knows files on both sides; neither the graph they come from nor who starts it.
"""

import platform
import resource
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from graphdb.snapshot import Manifest, Snapshot, read_snapshot
from training.artifact import Artifact, Model, read_model, write_artifact
from training.errors import EmptySplitError, TrainingError
from training.fitted import Fitted, refit
from training.judging.assessment import Assessment
from training.judging.contest import DEFAULT, judge_fitted, point_figures
from training.judging.gate import SERVING
from training.judging.judgement import Judgement
from training.refit_check import check_refit
from training.running.loop import Progress, Report, silent
from training.running.options import current_options, running_with
from training.running.ranks import Ranks
from training.search.recipe import RecipeConfig, fit
from training.snapshots import snapshot_world
from training.splits import Split, checked, part_by
from training.warm_start import read_start, refit_grown, settings_of
from training.world import World

TEST_SHARE = 0.1


def train(
    snapshot_directory: Path,
    artifact_directory: Path,
    *,
    seed: int = 1,
    config: RecipeConfig | None = None,
    split: str = "latest",
    against: Path | None = None,
    start: Path | None = None,
    progress: Report = silent,
) -> Model:
    """Train the default recipe on a snapshot and write the artifact; returns its `model.json`.

    The recipe is fitted without a test part, judged on it beside the baselines (`judgement.json`;
    `model.metrics` are its point figures), and its frozen settings are refitted on everything.
    split: how that part is taken (training.splits), each user's latest where it would be empty;
    against: the artifact that serves, whose recipe is fitted and judged beside; start: an artifact
    whose settings are taken as they are, without a search, and whose parameters training goes on
    from; it is judged on what the artifact has not learned from, whatever `split` says.

    Raises SnapshotError, NoEventsError, DivergedError, RefitError, ArtifactError, and
    FileExistsError when the artifact is there already.
    """
    started = time.monotonic()
    if artifact_directory.exists():
        raise FileExistsError(artifact_directory)
    snapshot = read_snapshot(snapshot_directory)
    world = snapshot_world(snapshot)
    options = current_options()
    if start is None:
        parts = _parts(world, split, seed)
        fit_part = partial(fit, config=config)
    else:
        keys, ids = snapshot.users["key"].to_pylist(), snapshot.items["id"].to_pylist()
        begun, settings = read_start(start, keys, ids)
        options = replace(options, start=begun.begin)
        parts = begun.split(world.interactions, TEST_SHARE, seed)
        fit_part = partial(refit_grown, start=begun, settings=settings)
    with running_with(options):
        judged = fit_part(world.with_interactions(parts.train), seed=seed, report=progress)
    judgement = _judge(world, parts, judged, against, seed, progress)
    with running_with(options):
        final = refit(world, judged.settings, seed=seed, report=progress, step="refit on all")
    check_refit(judged, final, seed)
    seconds = {**judged.seconds, **final.seconds, "total": time.monotonic() - started}
    return save_fitted(
        artifact_directory, snapshot, final, seed=seed, judgement=judgement, seconds=seconds
    )


def _parts(world: World, kind: str, seed: int) -> Split:
    try:
        return checked(part_by(kind, world.interactions, TEST_SHARE, seed))
    except EmptySplitError:
        found = part_by("latest", world.interactions, TEST_SHARE, seed)
    if (found.train.weight > 0).any():
        return found
    data = world.interactions
    return Split("nothing held out", data, data, data.take(np.zeros(len(data), bool)))


def _judge(
    world: World, parts: Split, judged: Fitted, against: Path | None, seed: int, progress: Report
) -> Judgement | None:
    """None where nothing can be asked for."""
    others, notes = {}, {}
    if against is not None:
        try:
            settings = settings_of(read_model(against).recipe)
            others[SERVING] = refit(
                judged.world, settings, seed=seed, report=progress, step="refit of what serves"
            )
        except TrainingError as error:
            # What serves may be of a program long gone: that must not keep a new one from serving.
            notes[SERVING] = f"what serves was not compared: {error}"
    progress(Progress("evaluation", 0, 1))
    try:
        found = judge_fitted(Assessment(world, parts, seed), judged, others)
    except EmptySplitError:
        found = None
    progress(Progress("evaluation", 1, 1, point_figures(found).get(DEFAULT, {})))
    return found and found.model_copy(update={"notes": {**found.notes, **notes}})


def save_fitted(
    directory: Path,
    snapshot: Snapshot,
    fitted: Fitted,
    *,
    seed: int,
    judgement: Judgement | None,
    seconds: dict[str, float],
) -> Model:
    """Write what was fitted to (a part of) a snapshot's events as an artifact."""
    data = fitted.world.interactions
    artifact = Artifact(
        model=_model(directory.name, snapshot.manifest, fitted, seed, judgement, seconds),
        item_ids=snapshot.items["id"].to_pylist(),
        user_keys=snapshot.users["key"].to_pylist(),
        scorer=fitted.scorer,
        residuals=fitted.residuals,
        history=data.history(),
        seen=data.matrix(data.seen.astype(np.float32)),
        popularity=data.popularity(),
    )
    if not Ranks.current().first:
        return artifact.model
    return write_artifact(directory, artifact, fitted.weights, judgement).model


def peak_bytes() -> dict[str, int]:
    """The most memory that this process has held: `rss`, and of a GPU `cuda`."""
    found = {"rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    if torch.cuda.is_available():
        found["cuda"] = torch.cuda.max_memory_allocated()
    return found


def _model(
    name: str,
    manifest: Manifest,
    fitted: Fitted,
    seed: int,
    judgement: Judgement | None,
    seconds: dict,
) -> Model:
    scorer = fitted.scorer
    return Model(
        id=name,
        snapshot_id=manifest.id,
        domain=manifest.domain,
        domain_hash=manifest.domain_hash,
        cut=manifest.cut,
        as_of=manifest.as_of,
        created_at=datetime.now(UTC),
        seed=seed,
        similarity="cosine" if scorer.cosine else "inner_product",
        dimensions=scorer.item_vectors.shape[1],
        history_exponent=scorer.history_exponent,
        weight_cap=scorer.weight_cap,
        blend=scorer.blend,
        recipe={**fitted.settings.recipe(), "text_encoder": manifest.text_encoder},
        metrics=point_figures(judgement),
        trials=fitted.settings.trials,
        curve=fitted.settings.curve,
        peak_bytes=peak_bytes(),
        seconds={step: round(value, 3) for step, value in seconds.items()},
        libraries={
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "scipy", "pyarrow")},
        },
    )
