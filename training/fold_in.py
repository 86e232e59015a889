"""Event vectors for models whose users are no sum over their events.

It knows users' vectors and the graph; not the model they come from.
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import lsmr


def fit_event_vectors(
    graph: sp.csr_matrix, users: np.ndarray, *, ridge: float = 1.0, exponent: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """z [I, d] and e [U, d], float32, with u = n^-p Σ_i a_i z_i + e exactly.

    z is the ridge regression of `users` [U, d] on their normalised events: with A_ui = n_u^-p a_ui
    (n_u = Σ_i a_ui, p = `exponent`) it minimises |A z - u|² + ridge |z|², column by column; e is
    what remains. `graph`: [U, I] CSR of positive weights.
    """
    events = sp.csr_matrix(history_scale(graph, exponent) @ graph, dtype=np.float64)
    columns = [lsmr(events, column, damp=np.sqrt(ridge))[0] for column in users.T.astype(float)]
    z = np.stack(columns, axis=1).astype(np.float32)
    return z, (users - events @ z).astype(np.float32)


def history_scale(graph: sp.csr_matrix, exponent: float = 0.5) -> sp.dia_matrix:
    """diag(n_u^-p) [U, U] with n_u = Σ_i a_ui, zero where it is: what the scorer's sums are
    multiplied by."""
    mass = np.asarray(graph.sum(axis=1)).ravel()
    return sp.diags(np.power(mass, -exponent, where=mass > 0, out=np.zeros(len(mass))))
