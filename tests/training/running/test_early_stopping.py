import torch
from torch import nn

from training.running.early_stopping import EarlyStopping


def test_goes_back_to_the_parameters_of_the_best_value():
    model = nn.Linear(2, 2)
    stopper, seen = EarlyStopping(model, patience=2), []
    for epoch, value in enumerate([0.1, 0.3, 0.2, 0.3], start=1):
        assert not stopper.exhausted
        with torch.no_grad():
            model.weight.fill_(float(epoch))
        seen.append(stopper.saw(epoch, value))

    stopper.restore()

    assert stopper.exhausted
    assert seen == stopper.seen == [0.1, 0.3, 0.2, 0.3]
    assert (stopper.best_epoch, model.weight.unique().tolist()) == (2, [2.0])


def test_without_a_value_the_model_stays():
    model = nn.Linear(2, 2)
    weight = model.weight.detach().clone()

    EarlyStopping(model, patience=1).restore()

    assert torch.equal(model.weight, weight)


def test_another_goes_on_with_its_state():
    first, second = (EarlyStopping(nn.Linear(2, 2), patience=2) for _ in range(2))
    first.saw(1, 0.5)
    first.saw(2, 0.4)

    second.load_state(first.state())
    second.saw(3, 0.4)
    second.restore()

    assert second.exhausted
    assert second.best_epoch == 1
    assert torch.equal(first.model.weight, second.model.weight)


def test_as_the_rate_falls_the_last_that_is_as_good_counts():
    plain, falling = (EarlyStopping(nn.Linear(2, 2), 9, falling=fall) for fall in (False, True))
    for epoch, value in enumerate([0.2, 0.2999, 0.3, 0.2995, 0.29], start=1):
        for stopper in (plain, falling):
            stopper.saw(epoch, value)

    assert (plain.best_epoch, plain.best) == (3, 0.3)
    assert (falling.best_epoch, falling.best) == (4, 0.2995)
