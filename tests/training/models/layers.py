"""PyG's layers on our graphs, to which our models are held."""

import numpy as np
import scipy.sparse as sp
import torch


def nodes_of(weights, world) -> np.ndarray:
    """Hop zero of users, then items, of an EmbeddingModel's weights: float64 [U + I, d]."""
    users, items = weights["user_embedding"], weights["item_embedding"]
    if world.text is not None:
        items = items + world.text @ weights["text_projection"]
    return np.concatenate([users, items])


def adjacency_of(graph: sp.csr_matrix) -> np.ndarray:
    """The symmetric weights between users and items: float64 [U + I, U + I]."""
    return sp.block_array([[None, graph], [graph.T, None]]).toarray().astype(float)


def edges_of(graph: sp.csr_matrix) -> tuple[torch.Tensor, torch.Tensor]:
    """PyG's edge_index [2, 2E], both directions, and edge_weight [2E]."""
    pairs = sp.coo_matrix(adjacency_of(graph))
    index = torch.from_numpy(np.stack([pairs.row, pairs.col]).astype(np.int64))
    return index, torch.from_numpy(pairs.data).float()
