"""The model card: what an artifact is for, what it learned from, how well it does and for whom, and
what it is not (Mitchell et al. 2019).

Each statement is read from the artifact or follows from its file format; it knows no page.
"""

from collections.abc import Iterator

from training.artifact import Artifact
from training.judging.judgement import Judged, Judgement
from training.report import wording
from training.report.page import Part, Section, Table, cell

MAIN = ("ndcg", "recall", "coverage", "gini", "novelty")
FEWEST = 20
"""Groups of fewer tested people are too small to be compared."""


def card(artifact: Artifact, judgement: Judgement) -> list[Section]:
    """The card's sections, of words and tables only."""
    return [
        Section("Model", [_model(artifact)]),
        Section("Intended use", _use(artifact)),
        Section("Data", [_data(artifact)]),
        Section("How well", _performance(judgement)),
        Section("For whom", _fairness(judgement)),
        Section("Limits", list(_limits(judgement))),
        Section("Privacy", _privacy(artifact)),
    ]


def main_metric(judgement: Judgement) -> str:
    """NDCG at the first cutoff: what sentences speak of."""
    return f"ndcg@{judgement.cutoffs[0]}"


def _model(artifact: Artifact) -> Table:
    model = artifact.model
    settings = wording.flat(model.recipe)
    asked = {
        "identifier": model.id,
        "made at": f"{model.created_at:%Y-%m-%d %H:%M} UTC",
        "model": settings.get("model.name"),
        "loss": settings.get("training.loss.name"),
        "score": f"{model.similarity.replace('_', ' ')} of {model.dimensions} dimensions,"
        f" plus {model.blend:g} × the item–item weights of the person's events",
        "seed": model.seed,
    }
    return Table(["", ""], [row for row in asked.items() if row[1] is not None])


def _use(artifact: Artifact) -> list[Part]:
    return [
        f"To rank the items of one catalogue (domain {artifact.model.domain}) for the people whose"
        " events it learned from, and for others from their events; to find items that are alike.",
        "Not for decisions about people, not for items or events of another domain, and scores are"
        " not probabilities: only their order means something.",
    ]


def _data(artifact: Artifact) -> Table:
    model, history = artifact.model, artifact.history
    density = history.nnz / max(history.shape[0] * history.shape[1], 1)
    return Table(
        ["", ""],
        [
            ("snapshot", model.snapshot_id),
            ("as of", f"{model.as_of:%Y-%m-%d %H:%M} UTC"),
            ("people", history.shape[0]),
            ("items", history.shape[1]),
            ("pairs of a person and an item that met", int(history.nnz)),
            ("share of all pairs", f"{density:.3%}"),
            ("texts encoded by", model.recipe.get("text_encoder") or "nothing"),
        ],
    )


def _performance(judgement: Judgement) -> list[Part]:
    k = judgement.cutoffs[0]
    metrics = [f"{name}@{k}" for name in MAIN]
    rows = [
        [judged.name]
        + [wording.interval(judged.metrics[m]) if m in judged.metrics else "" for m in metrics]
        for judged in judgement.models
    ]
    measured = [f"{name}: {how}." for name, how in judgement.notes.items()]
    return [
        *wording.headline(judgement, main_metric(judgement)),
        Table(["model", *metrics], rows),
        "The whole catalogue is ranked without what the person is known to have met. "
        + " ".join(measured),
    ]


def _fairness(judgement: Judgement) -> list[Part]:
    metric = main_metric(judgement)
    first = judgement.models[0]
    if not first.groups:
        return ["No groups of people or items were looked at."]
    apart = [said for name in first.groups if (said := _widest(first, name, metric))]
    return [
        "Groups by activity and popularity are always looked at; others (any property of people or"
        " items) where an evaluation was asked for them.",
        *apart,
        wording.groups_table(first, metric),
    ]


def _widest(judged: Judged, name: str, metric: str) -> str | None:
    """Between which groups of a property the metric is furthest apart."""
    known = {
        value: row[metric]
        for value, row in judged.groups[name].items()
        if metric in row and row.get("users", FEWEST) >= FEWEST
    }
    if len(known) < 2:
        return None
    least, most = min(known, key=lambda v: known[v]), max(known, key=lambda v: known[v])
    return (
        f"By {name}, {metric} goes from {known[least]:.4f} ({least}) to {known[most]:.4f} ({most})."
    )


def _limits(judgement: Judgement) -> Iterator[str]:
    metric = main_metric(judgement)
    first = judgement.models[0]
    for pair in judgement.paired:
        if pair.first == first.name and pair.metric == metric and pair.difference.low <= 0:
            yield (
                f"It was not shown to be better than {pair.second} on this data: {metric} differs"
                f" by {wording.interval(pair.difference)}."
            )
    warm, cold = first.warm.get(metric), first.cold.get(metric)
    if warm and cold:
        yield (
            f"Items with {judgement.notes.get('cold', 'few entries')} are found with {metric}"
            f" {wording.interval(cold)}, the others with {wording.interval(warm)}."
        )
    yield (
        "The figures are of the same recipe fitted without the part it was tested on; what serves"
        " was then fitted to everything with those settings, and cannot be tested on that part."
    )
    yield (
        "They come from what people did while something else chose what they saw: what nobody was"
        " shown counts as not wanted. Only an experiment with people says what lists are worth."
    )
    yield (
        f"Intervals are over the {cell(judgement.users)} people tested; another seed of training or"
        " another time is not in them."
    )


def _privacy(artifact: Artifact) -> list[Part]:
    return [
        "People stand in the artifact under random keys; which key is whose is known to the graph"
        " only. Their histories (items and weights) and vectors are in users.parquet: handle the"
        " artifact as personal data. This card and its page hold aggregates and items only.",
        f"One person's weight on one item counts at most {artifact.model.weight_cap:g}. No noise is"
        " added: there is no guarantee of differential privacy.",
        "A person who is erased is not in later snapshots nor in what is trained on them; artifacts"
        " that were made before still hold them and have to be removed.",
    ]
