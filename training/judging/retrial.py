"""An artifact's recipe judged again: on any snapshot, by any split, against another recipe.

What is judged is its settings, refitted without the test part: the artifact's own weights have seen
it. It knows files on both sides, not who asks.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from graphdb.snapshot import Snapshot, read_snapshot
from training.artifact import read_model
from training.fitted import Fitted, refit
from training.judging.assessment import Assessment
from training.judging.contest import judge_fitted
from training.judging.dials import DialTrial, ItemKinds, Kinds, read_dials
from training.judging.groups import find_property
from training.judging.judgement import Judgement
from training.judging.pair_files import read_pairs
from training.running.loop import Progress, Report, silent
from training.snapshots import snapshot_world
from training.splits import Split, given_split, split
from training.warm_start import settings_of
from training.world import World


class RetrialConfig(BaseModel):
    """`split`: one of training.splits.NAMES, of which about `share` is asked for; `given`: a file
    of the pairs to ask for instead (training.judging.pair_files); `groups`: properties of users
    or items; `dials`: NAME=VALUES of training.judging.dials, which speak of `kinds`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: str = "latest"
    share: float = Field(default=0.1, gt=0, lt=1)
    given: Path | None = None
    cutoffs: tuple[int, ...] = (10, 20)
    groups: tuple[str, ...] = ()
    seed: int = 1
    dials: tuple[str, ...] = ()
    kinds: Kinds = Kinds()


def judge_again(
    artifact: Path,
    snapshot: Path,
    config: RetrialConfig,
    *,
    against: Sequence[Path] = (),
    report: Report = silent,
) -> Judgement:
    """Figures of the recipe of `artifact` beside those of the artifacts `against` (by their
    names) and the baselines, all fitted to the same part.

    Raises ArtifactError, SnapshotError, SettingError, PairFileError, EmptySplitError,
    UnknownPropertyError, and whatever a fit raises.
    """
    chosen = {path: settings_of(read_model(path).recipe) for path in (artifact, *against)}
    read = read_snapshot(snapshot)
    world = snapshot_world(read)
    properties = [find_property(read, name) for name in config.groups]
    turned = read_dials(config.dials)
    kinds = ItemKinds.of(read, config.kinds, turned)
    parts = _split(read, world, config)
    assessment = Assessment(world, parts, config.seed, config.cutoffs, properties)
    known = world.with_interactions(parts.train)
    fitted: dict[Path, Fitted] = {
        path: refit(known, settings, seed=config.seed, report=report, step=f"refit of {path.name}")
        for path, settings in chosen.items()
    }
    report(Progress("evaluation", 0, 1))
    others = {path.name: fitted[path] for path in against}
    judgement = judge_fitted(assessment, fitted[artifact], others)
    if turned:
        trial = DialTrial(assessment, fitted[artifact], kinds, min(config.cutoffs))
        judgement = judgement.model_copy(update={"dials": trial.judge(turned)})
    report(Progress("evaluation", 1, 1))
    return judgement


def _split(snapshot: Snapshot, world: World, config: RetrialConfig) -> Split:
    if config.given is None:
        return split(world.interactions, config.split, config.share, config.seed)
    keys, ids = snapshot.users["key"].to_pylist(), snapshot.items["id"].to_pylist()
    return given_split(world.interactions, *read_pairs(config.given, keys, ids))
