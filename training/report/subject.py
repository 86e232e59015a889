"""What a report is about: an artifact with its judgement, read whole and checked."""

from dataclasses import dataclass
from pathlib import Path

from training.artifact import Artifact, Model, read_artifact
from training.judging.judgement import Judgement, read_judgement


@dataclass(frozen=True)
class Subject:
    """An artifact and how it fared."""

    artifact: Artifact
    judgement: Judgement

    @property
    def model(self) -> Model:
        """The artifact's description."""
        return self.artifact.model


def read_subject(directory: Path) -> Subject:
    """Read the artifact in `directory` and its judgement.

    Raises ArtifactError, JudgementError naming the file that is missing, altered or of another
    schema version.
    """
    return Subject(read_artifact(directory), read_judgement(directory))
