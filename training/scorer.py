"""The one score: evaluation, gate, API and explanation use this module and no other.

    u(events) = e + n^-p · Σ_i a_i z_i        n = Σ_i |a_i|, p = history_exponent
    score(j)  = s · u·v_j + λ · Σ_i a_i b_ij   s = 1/|u| when the version scores by cosine, else 1

`a_i` is a person's summed, capped event weight on item i, `z` what one event adds to its user, `v`
the items' vectors (unit length for cosine), `e` an optional personal residual, `b` the truncated
item–item weights. All of it is linear in the events once u's length is known, so every score is
exactly a sum over events plus the residual: see `contributions`.

It knows arrays only; neither torch nor the graph.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class Folded:
    """One person's side of the score. user: u [d]; rows: items [R], ascending, that the item–item
    weights of their events lead to, reached: Σ_i a_i b_ij [R] of each."""

    user: np.ndarray
    rows: np.ndarray
    reached: np.ndarray


@dataclass(frozen=True)
class Scorer:
    """A version's scoring parameters.

    item_vectors: v [I, d] float32; event_vectors: z [I, d] float32; similar: b [I, I] float32 CSR,
    row = the event's item; blend: λ.
    """

    item_vectors: np.ndarray
    event_vectors: np.ndarray
    similar: sp.csr_matrix
    blend: float
    history_exponent: float = 0.5
    cosine: bool = True
    weight_cap: float = 1.0

    def user_vectors(self, history: sp.csr_matrix, residuals: np.ndarray | None) -> np.ndarray:
        """u for each row of `history` [B, I] (summed event weights): [B, d], unit for cosine."""
        a = self.capped(history)
        mass = np.asarray(abs(a).sum(axis=1)).ravel()
        # A person without events keeps the residual alone.
        scale = np.power(mass, -self.history_exponent, where=mass > 0, out=np.zeros_like(mass))
        vectors = (a @ self.event_vectors) * scale[:, None].astype(np.float32)
        if residuals is not None:
            vectors = vectors + residuals
        if self.cosine:
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = vectors / np.where(lengths > 0, lengths, 1)
        return vectors.astype(np.float32)

    def scores(
        self,
        history: sp.csr_matrix,
        residuals: np.ndarray | None = None,
        candidates: np.ndarray | None = None,
    ) -> np.ndarray:
        """Scores [B, I] of the whole catalogue, or [B, C] of the item rows in `candidates`."""
        chosen = slice(None) if candidates is None else candidates
        graph_half = self.user_vectors(history, residuals) @ self.item_vectors[chosen].T
        if not self.blend:
            return graph_half
        item_half = (self.capped(history) @ self.similar).toarray()[:, chosen]
        return graph_half + np.float32(self.blend) * item_half

    def folded(self, history: sp.csr_matrix, residual: np.ndarray | None) -> Folded:
        """What `scores_of` needs of one person: `history` is one row [1, I], `residual` e [d].

        It looks at their events' rows alone, and takes as long in any catalogue.
        """
        events = history.indices
        a = np.clip(history.data, -self.weight_cap, self.weight_cap).astype(np.float32)
        mass = float(np.abs(a).sum())
        user = a @ self.event_vectors[events] * np.float32(mass and mass**-self.history_exponent)
        if residual is not None:
            user = user + residual
        if self.cosine:
            user = user / (np.linalg.norm(user) or 1)
        event, led, weights = self._led_to(events)
        rows, place = np.unique(led, return_inverse=True)
        reached = np.bincount(place, a[event] * weights, len(rows))
        return Folded(user.astype(np.float32), rows, reached)

    def scores_of(self, person: Folded, candidates: np.ndarray) -> np.ndarray:
        """Scores [C] of the item rows in `candidates` for one person: those of `scores`."""
        near = self.item_vectors[candidates] @ person.user
        if not self.blend or not len(person.rows):
            return near
        place = np.minimum(np.searchsorted(person.rows, candidates), len(person.rows) - 1)
        walked = np.where(person.rows[place] == candidates, person.reached[place], 0)
        return near + np.float32(self.blend) * walked.astype(np.float32)

    def contributions(
        self, history: sp.csr_matrix, residual: np.ndarray | None, candidates: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What each event and the residual add to the scores of `candidates` (item rows).

        `history` is one row [1, I]. Returns (near [C, n], walked [C, n], taste [C]) in float64, n
        in the order of `history.indices`: an event adds `near` by the vectors and `walked` by the
        item–item weights; (near + walked).sum(axis=1) + taste is the score.
        """
        a = self.capped(history)
        weights = a.data.astype(np.float64)
        mass = np.abs(weights).sum()
        z = self.event_vectors[a.indices].astype(np.float64)
        steps = z * (weights * (mass**-self.history_exponent if mass > 0 else 0.0))[:, None]
        taste = np.zeros(self.item_vectors.shape[1]) if residual is None else residual
        length = np.linalg.norm(steps.sum(axis=0) + taste) if self.cosine else 1.0
        v = self.item_vectors[candidates].astype(np.float64) / (length or 1.0)
        walked = np.zeros((len(candidates), len(weights)))
        if len(candidates):
            event, led, similar = self._led_to(a.indices)
            order = np.argsort(candidates)
            place = order[np.minimum(np.searchsorted(candidates[order], led), len(order) - 1)]
            hit = candidates[place] == led
            walked[place[hit], event[hit]] = similar[hit]
        return v @ steps.T, self.blend * walked * weights, v @ taste

    def _led_to(self, events: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each item–item weight of these item rows: the place in `events` that it stands at, the
        item row that it leads to, and itself. Slicing the matrix would look at all its columns."""
        starts, ends = self.similar.indptr[events], self.similar.indptr[events + 1]
        counts = ends - starts
        event = np.repeat(np.arange(len(events)), counts)
        shift = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        at = np.arange(len(event)) + shift
        return event, self.similar.indices[at], self.similar.data[at]

    def capped(self, history: sp.csr_matrix) -> sp.csr_matrix:
        """Event weights with each user–item sum bounded to ±weight_cap."""
        a = history.astype(np.float32)
        return sp.csr_matrix(
            (np.clip(a.data, -self.weight_cap, self.weight_cap), a.indices, a.indptr), a.shape
        )
