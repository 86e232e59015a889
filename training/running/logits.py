"""Scores of final vectors as every loss compares them, and the mean over a batch.

It knows a loss's settings and vectors; not which loss.
"""

import torch
from torch.nn import functional

from training.loss import LossConfig
from training.running.log_sum_exp import weighted_log_sum_exp


def pair_logits(config: LossConfig, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """[B] s(u, i)/τ of rows beside each other, `users` [B, d] and `items` [B, d]."""
    users, items = _ready(config, users), _ready(config, items)
    return (users * items).sum(dim=1).float() / config.temperature


def cross_logits(config: LossConfig, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """[B, N] s(u, j)/τ of each of `users` [B, d] with each of `items` [N, d]."""
    return (_ready(config, users) @ _ready(config, items).T).float() / config.temperature


def log_sums(
    config: LossConfig,
    users: torch.Tensor,
    items: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    *,
    own: tuple[torch.Tensor, torch.Tensor] | None = None,
    beside: torch.Tensor | None = None,
) -> torch.Tensor:
    """Σ_b w_b · log Σ_j exp(s(u_b, j)/τ + bias_j), a scalar over `users` [B, d], `items` [N, d].

    The weights and the rest as of `weighted_log_sum_exp`, which keeps no [B, N]; a row that stands
    for several positives has their summed weight.
    """
    left, right = _ready(config, users).float() / config.temperature, _ready(config, items).float()
    return weighted_log_sum_exp(left, right, weight, bias, own=own, beside=beside)


def weighted_mean(each: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Σ w_b x_b / Σ w_b of `each` [B] by the positives' `weight` [B]."""
    return (each * weight).sum() / weight.sum()


def l2_penalty(users: torch.Tensor, items: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """mean_w(|u|² + |i|²)/2 of rows beside each other, [B, d] each."""
    return weighted_mean((users.square() + items.square()).sum(dim=1).float() / 2, weight)


def _ready(config: LossConfig, vectors: torch.Tensor) -> torch.Tensor:
    return functional.normalize(vectors, dim=1) if config.similarity == "cosine" else vectors
