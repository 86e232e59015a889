"""Training that goes on from an earlier artifact's parameters, in its settings.

It knows what an artifact holds and which rows of it are whose now; not how a model is trained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.artifact import Artifact, ArtifactError, read_artifact
from training.data import Interactions
from training.fitted import Fitted, Settings, refit
from training.loss import LossConfig
from training.model import Model, ModelConfig
from training.named import checked
from training.running.loop import Report, TrainingConfig, silent
from training.running.region import Region, side_of
from training.search.race import attempt
from training.search.recipe import VALIDATION_SHARE, WARM_SHARE
from training.search.selection import ItemHalf, Validation
from training.splits import Split, latest_split, pairs
from training.world import World

SMALL = 0.3
"""Of all rows: where more is near a change, everything is trained."""


@dataclass(frozen=True)
class Start:
    """Trained `weights` by name, and for each user [U] and item [I] of now the row there, -1 for
    new ones. known: int64, sorted, the pairs user * I + item of now that they were learned from.
    """

    weights: Mapping[str, np.ndarray]
    users: np.ndarray
    items: np.ndarray
    counts: tuple[int, int]
    known: np.ndarray

    @staticmethod
    def of(
        artifact: Artifact,
        weights: Mapping[str, np.ndarray],
        user_keys: Sequence[str],
        item_ids: Sequence[str],
    ) -> "Start":
        """Users are matched by key and items by id; who is gone is left behind."""
        users = _rows(artifact.user_keys, user_keys)
        items = _rows(artifact.item_ids, item_ids)
        counts = len(artifact.user_keys), len(artifact.item_ids)
        now_users, now_items = (
            _inverse(rows, count) for rows, count in zip((users, items), counts, strict=True)
        )
        met = artifact.history.tocoo()
        user, item = now_users[met.row], now_items[met.col]
        there = (user >= 0) & (item >= 0)
        known = user[there] * np.int64(len(item_ids)) + item[there]
        return Start(weights, users, items, counts, np.sort(known))

    @torch.no_grad()
    def load(self, model: nn.Module) -> int:
        """Put the weights where they belong; returns how many numbers were taken over.

        A parameter with a row a user or an item takes the rows of those who were there and had
        learned anything; new rows stay as they were drawn. Another one is taken whole where its
        shape is the same, and stays as it was drawn where it is not.
        """
        taken = 0
        for name, parameter in model.named_parameters():
            if name not in self.weights:
                continue
            old = torch.from_numpy(self.weights[name]).to(parameter.device)
            rows = self._rows_of(name, parameter, old)
            if rows is None:
                if old.shape == parameter.shape:
                    parameter.copy_(old)
                    taken += old.numel()
                continue
            here = torch.from_numpy(np.flatnonzero(rows >= 0)).to(parameter.device)
            found = old[torch.from_numpy(rows[rows >= 0]).to(parameter.device)]
            learned = found.reshape(len(found), -1).any(dim=1)
            parameter[here[learned]] = found[learned]
            taken += found[learned].numel()
        return taken

    def begin(self, model: Model) -> Region | None:
        """Load the weights; where little has changed, the region that is to be trained.

        That is every row within the model's hops of a pair that came or went, None for everything:
        where it is more than SMALL of all rows, and where no pair came.
        """
        self.load(model)
        graph = model.world.graph.tocoo()
        users, items = (np.zeros(count, bool) for count in graph.shape)
        met = graph.row.astype(np.int64) * graph.shape[1] + graph.col
        came = ~np.isin(met, self.known)
        gone = self.known[~np.isin(self.known, met)]
        if not came.any():
            return None
        users[graph.row[came]], users[gone // graph.shape[1]] = True, True
        items[graph.col[came]], items[gone % graph.shape[1]] = True, True
        hops = getattr(getattr(model, "config", None), "hops", 1)
        region = Region.around(model.world.graph, users, items, hops)
        return region if region.share <= SMALL else None

    def _rows_of(self, name: str, now: torch.Tensor, old: torch.Tensor) -> np.ndarray | None:
        """The old row of each row now, None for a parameter that is neither users' nor items'."""
        side = side_of(name, now, len(self.users), len(self.items))
        if side is None or now.shape[1:] != old.shape[1:]:
            return None
        rows, count = (self.users, self.items), self.counts
        place = ("user", "item").index(side)
        return rows[place] if len(old) == count[place] else None

    def split(self, data: Interactions, share: float, seed: int) -> Split:
        """The latest `share` of each user's entries, of which those are asked for that the weights
        were not learned from; the others stay in what is learned from."""
        _, latest = latest_split(data, share, seed)
        met = pairs(data)
        asked = np.isin(met, pairs(latest)) & ~np.isin(met, self.known)
        part = data.take(~asked)
        name = f"the latest {share:.0%} of each user, as far as it is new"
        return Split(name, part, part, data.take(asked))


def read_start(
    directory: Path, user_keys: Sequence[str], item_ids: Sequence[str]
) -> tuple[Start, Settings]:
    """The weights of an artifact for these users and items, and the settings it was trained in.

    Raises ArtifactError, UnknownNameError, SettingError.
    """
    from safetensors.numpy import load_file

    artifact = read_artifact(directory)
    weights = load_file(directory / "weights.safetensors")
    start = Start.of(artifact, weights, user_keys, item_ids)
    return start, settings_of(artifact.model.recipe)


def settings_of(recipe: Mapping) -> Settings:
    """The settings that an artifact's `recipe` describes.

    Raises ArtifactError for a part that is missing, UnknownNameError, SettingError.
    """
    try:
        model, training, closed_form = (
            dict(recipe[part]) for part in ("model", "training", "closed_form")
        )
        loss = dict(training.pop("loss"))
        names = model.pop("name"), loss.pop("name")
        half, cosine = ItemHalf.of(closed_form), recipe["score"] == "cosine"
    except KeyError as error:
        raise ArtifactError(f"the artifact's recipe has no {error}: train from the start") from None
    settings = {**training, "loss": LossConfig.of(names[1], loss)}
    return Settings(
        ModelConfig.of(names[0], model),
        checked(TrainingConfig, "training", settings),
        half,
        cosine=cosine,
        untruncated=half.blend,
    )


def refit_grown(
    world: World,
    start: Start,
    settings: Settings,
    *,
    seed: int,
    report: Report = silent,
    share: float = WARM_SHARE,
) -> Fitted:
    """Fit a world that has grown, from `start` and in frozen `settings`; to be called with options
    in force that have the start.

    It is the last `share` of a run from nothing; where the learning rate does not fall, the best
    number of epochs up to that is chosen on what is new.
    """
    parts = start.split(world.interactions, VALIDATION_SHARE, seed)
    validation = Validation.of(parts.train, parts.test, seed)
    training = settings.training.last(share)
    trials, curve = [], []
    if len(validation.users):
        tried = attempt(
            world.with_interactions(parts.train),
            validation,
            settings.model,
            training.model_copy(update={"validate_every": 1}),
            seed=seed,
            report=report,
            step="epochs from the last artifact",
        )
        trials, curve = [tried.row()], tried.trained.curve
        if not training.decay_epochs:
            training = training.lasting(tried.trained.epochs)
    chosen = replace(settings, resumed=training, trials=trials, curve=curve)
    return refit(world, chosen, seed=seed, report=report, step="refit from the last artifact")


def _rows(old: Sequence[str], now: Sequence[str]) -> np.ndarray:
    place = {name: row for row, name in enumerate(old)}
    return np.array([place.get(name, -1) for name in now], np.int64)


def _inverse(rows: np.ndarray, count: int) -> np.ndarray:
    """Of each old row the row now, -1 for one that is gone."""
    now = np.full(count, -1, np.int64)
    now[rows[rows >= 0]] = np.flatnonzero(rows >= 0)
    return now
