"""What every closed form promises."""

import numpy as np
import pytest
import scipy.sparse as sp

from training.closed_form import ClosedFormConfig


@pytest.mark.parametrize("name", ClosedFormConfig.kinds())
def test_untruncated_sums_and_all_the_weights_agree(checkerboard, name):
    graph = sp.csr_matrix(checkerboard)
    fitted = ClosedFormConfig.of(name).fit(graph)
    history = graph[:3]
    outside = history.toarray() == 0

    whole = (history @ fitted.truncated(40, 40)).toarray()
    np.testing.assert_allclose(fitted.scores(history)[outside], whole[outside], atol=1e-5)
    assert not fitted.truncated(40, 40).diagonal().any()
    assert np.diff(fitted.truncated(5, 40).indptr).max() <= 5
