"""The gate of the loop, between training and publication: recipes are judged, not weights.

It composes what serves, an artifact's judgement and the settings; the verdict is training's.
"""

from pathlib import Path

from api.settings import Settings
from graphdb.connection import Graph
from graphdb.versions.versions import fetch_serving
from training.artifact import MODEL_FILE
from training.judging.gate import Verdict, verdict
from training.judging.judgement import FILE_NAME, read_judgement

SPLIT = "time"
"""What is served must be good at what comes after it was trained."""


def serving_artifact(settings: Settings, graph: Graph) -> Path | None:
    """The directory of what serves; None before the first publication, and where its files are
    on another machine or gone."""
    serving = fetch_serving(graph)
    directory = settings.artifacts / serving["id"] if serving else None
    return directory if directory and (directory / MODEL_FILE).is_file() else None


def artifact_verdict(artifact: Path) -> Verdict:
    """Whether what was trained may serve. Raises JudgementError for a damaged judgement."""
    judged = (artifact / FILE_NAME).is_file()
    return verdict(read_judgement(artifact) if judged else None)
