"""Models, losses and closed forms are found by name, and their settings say what they expect."""

import pytest

from training.closed_form import ClosedFormConfig
from training.closed_forms.ease import EaseConfig
from training.errors import SettingError, UnknownNameError
from training.loss import LossConfig
from training.losses.in_batch_softmax import InBatchSoftmaxConfig
from training.model import ModelConfig
from training.models.lightgcn import LightGCNConfig


@pytest.mark.parametrize(
    "kind, name, found",
    [
        (ModelConfig, "lightgcn", LightGCNConfig),
        (LossConfig, "in_batch_softmax", InBatchSoftmaxConfig),
        (ClosedFormConfig, "ease", EaseConfig),
    ],
)
def test_a_file_with_a_name_is_found(kind, name, found):
    assert kind.kinds()[name] is found is kind.find(name)
    assert kind.of(name) == found()
    assert kind.of(name).described()["name"] == name


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(UnknownNameError, match=r"no model 'lightgnc': expected one of .*lightgcn"):
        ModelConfig.find("lightgnc")


@pytest.mark.parametrize(
    "settings, sentence",
    [
        (
            {"hops": 9},
            "lightgcn: hops is 9, expected a whole number at least 0 and at most 8",
        ),
        ({"init_std": 0}, "init_std is 0, expected a number more than 0 and at most 1"),
        ({"hops": "two"}, "hops is 'two', expected a whole number at least 0 and at most 8"),
        ({"hop": 2}, "model lightgcn has no setting 'hop': expected one of dimensions, .*hops"),
        ({"init_std": float("nan")}, "init_std is nan, expected a number more than 0"),
    ],
)
def test_a_setting_out_of_range_is_told_the_range(settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        ModelConfig.of("lightgcn", settings)


@pytest.mark.parametrize(
    "settings, sentence",
    [
        ({"similarity": "dot"}, "similarity is 'dot', expected one of cosine, inner_product"),
        ({"log_q": "often"}, "log_q is 'often', expected true or false"),
    ],
)
def test_a_name_or_flag_that_is_none_is_told_those_there_are(settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        LossConfig.of("in_batch_softmax", settings)
