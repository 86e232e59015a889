import pytest
import torch

from training.errors import SettingError
from training.running.checkpoints import Checkpoints
from training.running.options import RunOptions, choose_device, current_options, running_with


def test_without_cuda_auto_is_the_cpu_and_cuda_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert choose_device() == choose_device("cpu") == torch.device("cpu")
    with pytest.raises(SettingError, match=r"no CUDA device.*ask for 'cpu', or for 'auto'"):
        choose_device("cuda")


def test_with_cuda_it_is_taken_unless_the_cpu_is_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)

    assert choose_device() == choose_device("cuda") == torch.device("cuda", 0)
    assert choose_device("cpu") == torch.device("cpu")


def test_another_word_is_refused_with_those_there_are():
    with pytest.raises(SettingError, match="device is 'gpu', expected one of auto, cpu, cuda"):
        choose_device("gpu")


def test_options_hold_inside_and_no_longer(tmp_path):
    options = RunOptions("cpu", Checkpoints(tmp_path))

    with running_with(options):
        with running_with(RunOptions("cuda")):
            assert current_options().device == "cuda"
        assert current_options() is options

    assert current_options() == RunOptions()
