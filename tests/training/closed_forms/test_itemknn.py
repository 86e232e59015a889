import numpy as np
import scipy.sparse as sp

from training.closed_forms.itemknn import ItemknnConfig

GRAPH = sp.csr_matrix(np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 0]], np.float32))


def test_similarity_is_the_shrunk_cosine_of_two_items_people():
    found = ItemknnConfig(shrink=1).fit(GRAPH).truncated(4, 4).toarray()

    assert np.isclose(found[0, 1], 2 / (2 + 1))
    assert np.isclose(found[0, 2], 1 / (2 + 1))
    assert not found.diagonal().any()
    assert not found[3].any()


def test_each_item_keeps_its_nearest():
    fitted = ItemknnConfig(neighbours=1, shrink=0).fit(GRAPH)

    found = fitted.scores(sp.csr_matrix(np.array([[1, 0, 0, 0]], np.float32)))

    np.testing.assert_allclose(found, [[0, 1, 0, 0]], atol=1e-6)
