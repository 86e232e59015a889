"""Which of the scored candidates are shown, and in which order."""

import numpy as np

from api.answer import Query
from api.candidates import Pool
from api.ordering import ordered


def test_without_wishes_the_best_are_shown_best_first(domain):
    pool = Pool(np.array([7, 3, 5]), np.array([3.0, 2.0, 1.0]), {"vector": {7, 3, 5}}, {7: 2.0})

    chosen = ordered(None, domain, None, None, Query("p0", k=2), pool)

    assert (chosen.rows.tolist(), chosen.scores.tolist()) == ([7, 3], [3.0, 2.0])
    assert (chosen.found, chosen.factors) == (pool.found, pool.factors)
    assert ordered(None, domain, None, None, Query("p0", k=9), pool).rows.tolist() == [7, 3, 5]
