"""The page about one artifact, and its model card beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.artifact import Model
from training.judging.judgement import Judgement
from training.report import figures, wording
from training.report.card import card, main_metric
from training.report.embedding_map import plane
from training.report.page import Part, Picture, Section, Table, html_page, markdown_page
from training.report.subject import Subject, read_subject
from training.report.titles import item_titles

PAGE, CARD = "report.html", "card.md"


@dataclass(frozen=True)
class Written:
    """Where the page and the card are."""

    page: Path
    card: Path


def write_report(
    directory: Path, *, snapshot: Path | None = None, folder: Path | None = None
) -> Written:
    """Write the page and the card of the artifact in `directory`, there or into `folder`.

    snapshot: where items' titles are; without it items go by their ids. Raises ArtifactError,
    JudgementError, SnapshotError.
    """
    subject = read_subject(directory)
    titles = item_titles(subject.artifact.item_ids, snapshot)
    written = Written((folder or directory) / PAGE, (folder or directory) / CARD)
    sections = card(subject.artifact, subject.judgement)
    lead = wording.headline(subject.judgement, main_metric(subject.judgement))
    title = f"Model {subject.model.id}"
    save(written.page, html_page(title, lead, report_sections(subject, titles)))
    save(written.card, markdown_page(title, [], sections))
    return written


def save(path: Path, text: str) -> None:
    """Write `text`, and the folder it goes to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # What JSON may hold and UTF-8 may not: half a surrogate pair.
    path.write_text(text, encoding="utf-8", errors="replace")


def report_sections(subject: Subject, titles: Sequence[str]) -> list[Section]:
    """Everything on the page, in order; `titles` [I] of the artifact's items."""
    return [
        *judgement_sections(subject.judgement),
        Section("Learning", _learning(subject)),
        Section("What was tried", _trials(subject)),
        Section("The space of items", _map(subject, titles)),
        Section("Settings and cost", _cost(subject)),
        *(
            Section(f"Card: {section.title.lower()}", section.parts)
            for section in card(subject.artifact, subject.judgement)
        ),
    ]


def judgement_sections(judgement: Judgement) -> list[Section]:
    """Accuracy, popularity, coverage and groups, each picture with what it says."""
    models = {judged.name: judged for judged in judgement.models}
    return model_sections(models, judgement)


def model_sections(models: figures.Models, judgement: Judgement) -> list[Section]:
    """The same for any models that were tested as `judgement` says."""
    k = judgement.cutoffs[0]
    recall, ndcg = f"recall@{k}", f"ndcg@{k}"
    first = next(iter(models))
    sections = [
        Section(
            "Accuracy",
            [
                f"Each bar is a mean over {judgement.users:,} tested people, the line on it its"
                " 95 % interval. Ranked is the whole catalogue; higher is better.",
                Picture(figures.metric_bars(models, k)),
                wording.metrics_table(models, "Every figure with its interval"),
            ],
        ),
        Section(
            "Popular and rare items",
            [
                "How often items are found when they are what a person chose next, from the least"
                " popular band to the most. A model that only repeats what is popular is at zero"
                " until the last.",
                Picture(figures.by_popularity(models, recall)),
                "What share of the listed places each band gets, beside its share of the catalogue"
                " and of what was chosen. Bars far above the chosen share feed what is popular"
                " already.",
                Picture(figures.shares_by_popularity(models, k)),
            ],
        ),
        Section(
            "Coverage and variety",
            [
                "What the lists of all people together are like; there is no best value, but a list"
                " that is accurate by being the same for everybody shows here.",
                Picture(figures.beyond_accuracy(models, k), tall=True),
            ],
        ),
    ]
    if any(judged.cold for judged in models.values()):
        cold = judgement.notes.get("cold", "few entries")
        sections.append(
            Section(
                "Warm and cold",
                [
                    f"Cold are items and people with {cold}. Where nothing is shown, nobody of that"
                    " kind was in the test part.",
                    Picture(figures.warm_and_cold(models, ndcg)),
                ],
            )
        )
    if any(name.startswith("user.") for name in models[first].groups):
        sections.append(
            Section(
                "Groups of people",
                [
                    "Dots of one colour far apart: the model serves some groups better. Small"
                    " groups scatter by chance; their sizes are in the table.",
                    Picture(figures.people_groups(models, ndcg)),
                    wording.groups_table(models[first], ndcg, f"Every group of {first}"),
                ],
            )
        )
    return sections


def _learning(subject: Subject) -> Sequence[Part]:
    curve = subject.model.curve
    if not curve:
        return ["The artifact has no learning curve: its model was not trained by epochs."]
    return [
        f"The chosen model's {len(curve)} epochs. Training stops when NDCG on validation, not on"
        " the test part, no longer rises.",
        Picture(figures.learning_curves({subject.model.id: curve})),
    ]


def _trials(subject: Subject) -> Sequence[Part]:
    trials = subject.model.trials
    if not trials:
        return ["Nothing was tried on validation: the settings are the defaults."]
    words = [wording.trial_words(trial) for trial in trials]
    return [
        "Each dot is a setting that was tried, judged on the validation part only. Chosen is one"
        " that the recipe has; a closed form and a model are chosen apart, so that there is one of"
        " each.",
        Picture(figures.trials(trials, words)),
        wording.trials_table(subject.model),
    ]


def _map(subject: Subject, titles: Sequence[str]) -> Sequence[Part]:
    artifact = subject.artifact
    cosine = artifact.scorer.cosine
    found = plane(artifact.scorer.item_vectors, subject.model.seed, cosine=cosine)
    rows = found.rows.tolist()
    picture = figures.item_map(
        found, [titles[row] for row in rows], [float(artifact.popularity[row]) for row in rows]
    )
    return [
        "Each dot is an item; near dots are items that the model holds to be alike. Its title is"
        f" shown when pointed at. Shown: {found.words}.",
        Picture(picture, tall=True),
    ]


def _cost(subject: Subject) -> Sequence[Part]:
    model = subject.model
    return [
        *cost_tables(model),
        wording.settings_table(model),
        Table(["library", "version"], list(model.libraries.items()), "Versions of libraries"),
        Table(["file", "sha256"], list(model.files.items()), "Files"),
    ]


def cost_tables(model: Model) -> list[Part]:
    """Seconds of each step, and the most memory that training held."""
    peaks = [[name, size / 1e6] for name, size in model.peak_bytes.items()]
    return [
        Table(["step", "seconds"], list(model.seconds.items())),
        Table(["peak memory of", "MB"], peaks),
    ]
