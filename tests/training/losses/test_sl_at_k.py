import numpy as np
import scipy.sparse as sp
import torch

from tests.training.batches import cosine, given
from tests.training.worlds import world_of
from training.losses.sl_at_k import SlAtKConfig

CONFIG = SlAtKConfig(temperature=0.3, tau_beta=0.5, k=2, negatives=4)


def test_equals_the_formula_with_the_thresholds_it_found():
    here, loss = given(), CONFIG.build(given().world)
    loss.refresh(1, here.users, here.items)
    each = []
    for row, (u, i, _) in enumerate(here.rows):
        beta = loss.beta[here.batch.user_index[row]]
        total = torch.stack([torch.exp((cosine(u, j) - cosine(u, i)) / 0.3) for j in here.drawn])
        each.append(torch.sigmoid((cosine(u, i) - beta) / 0.5) * torch.log(total.sum()))

    assert loss.beta.any()
    torch.testing.assert_close(loss(here.users, here.items, here.batch), here.mean(each))


def test_the_threshold_is_the_kth_highest_of_positives_and_drawn_items():
    """So many are drawn that all of the catalogue is: β is the K-th best of all items."""
    here = given()
    config = SlAtKConfig(k=3, negatives=200)
    loss = config.build(here.world)

    loss.refresh(1, here.users, here.items)

    drawn = np.random.default_rng(1).integers(0, 5, 200)
    for user, row in enumerate(here.world.graph.toarray()):
        scores = [cosine(here.users[user], item) for item in here.items]
        # A drawn item that the user likes is there already; others count as often as drawn.
        candidates = [s for s, liked in zip(scores, row, strict=True) if liked]
        candidates += [scores[item] for item in drawn if not row[item]]
        expected = sorted(candidates, reverse=True)[:3][-1]
        torch.testing.assert_close(loss.beta[user], expected)


def test_it_is_refreshed_every_so_many_epochs_and_its_state_comes_back():
    here, loss = given(), CONFIG.model_copy(update={"refresh_every": 2}).build(given().world)
    loss.refresh(1, here.users, here.items)
    first = loss.beta.clone()
    loss.refresh(2, -here.users, here.items)
    assert torch.equal(loss.beta, first)
    loss.refresh(3, -here.users, here.items)
    assert not torch.equal(loss.beta, first)

    other = CONFIG.build(here.world)
    other.load_state(loss.state())

    assert torch.equal(other.beta, loss.beta)


def test_a_user_without_positives_or_with_fewer_than_k_has_a_finite_threshold():
    graph = sp.csr_matrix(np.array([[1.0, 0], [0, 0]], np.float32))
    loss = SlAtKConfig(k=50, negatives=3).build(world_of(graph))

    loss.refresh(1, torch.randn(2, 4), torch.randn(2, 4))

    assert torch.isfinite(loss.beta).all()
