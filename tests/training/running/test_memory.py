import numpy as np
import psutil
import pytest
import torch
from torch import nn

from training.running import memory
from training.running.memory import (
    OutOfMemoryError,
    available,
    naming_what_to_reduce,
    needed,
    require,
)

CPU = torch.device("cpu")
HELP = ["dimensions", "batch_size (4096)"]


def test_on_the_machine_it_is_what_psutil_finds_at_most(tmp_path):
    assert available(CPU, tmp_path) == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_a_container_leaves_its_limit_without_what_it_uses_but_for_files(tmp_path):
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("3000\n")
    (tmp_path / "memory.stat").write_text("anon 2200\ninactive_file 800\n")

    assert available(CPU, tmp_path) == 2800

    (tmp_path / "memory.max").write_text("max\n")
    assert available(CPU, tmp_path) > 2800


def test_a_container_of_the_older_kind(tmp_path):
    folder = tmp_path / "memory"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text("5000\n")
    (folder / "memory.usage_in_bytes").write_text("6000\n")
    (folder / "memory.stat").write_text("total_inactive_file 500\n")

    assert available(CPU, tmp_path) == 0


def test_what_is_needed_is_no_more_than_training_takes():
    model = nn.Linear(100, 10, bias=False)

    assert needed(model, logits=7) == 5 * 4_000 + 56


def test_what_does_not_fit_is_refused_with_both_sizes(monkeypatch):
    model = nn.Linear(1_000, 1_000, bias=False)
    monkeypatch.setattr(memory, "available", lambda device: 20_000_000)

    assert require(model, CPU, 0, HELP) == 20_000_000
    with pytest.raises(
        OutOfMemoryError,
        match=r"at least 0\.4 GB on cpu and 20\.0 MB are free: reduce dimensions, batch",
    ):
        require(model, CPU, 50_000_000, HELP)


@pytest.mark.parametrize(
    "take",
    [
        lambda: torch.empty(2**50),
        lambda: np.empty(2**58),
        lambda: (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA out of memory.")),
    ],
    ids=["torch", "numpy", "cuda"],
)
def test_running_out_of_memory_says_what_to_reduce(take):
    with (
        pytest.raises(OutOfMemoryError, match=r"out of memory in here: reduce dimensions, batch"),
        naming_what_to_reduce("here", HELP),
    ):
        list(take())


def test_another_error_stays_what_it_is():
    with pytest.raises(RuntimeError, match="size mismatch"), naming_what_to_reduce("here", HELP):
        raise RuntimeError("size mismatch")
