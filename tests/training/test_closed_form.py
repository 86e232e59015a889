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

    np.testing.assert_allclose(
        fitted.scores(history), (history @ fitted.truncated(40)).toarray(), atol=1e-5
    )
    assert np.diff(fitted.truncated(5).indptr).max() <= 5
