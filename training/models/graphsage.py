"""GraphSAGE: trained on drawn neighbours, and at home in a graph it was not trained on."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional

from training.embeddings import EmbeddingConfig, EmbeddingModel
from training.errors import SettingError
from training.fold_in import history_scale
from training.neighbours import NeighbourSampler
from training.propagation import Product
from training.world import World


class GraphSAGEConfig(EmbeddingConfig):
    """`hops`: L, layers; `fanout`: neighbours drawn for each node and hop in training.

    `id_dropout`: the share of nodes whose own embedding a batch leaves out, so that those who never
    had one are no strangers (validation's nDCG@10 of ML-100K: 0, .1, .2 give .169, .165, .158).
    """

    name: ClassVar[str] = "graphsage"

    hops: int = Field(default=2, ge=1, le=4)
    fanout: int = Field(default=10, ge=1, le=1_000)
    id_dropout: float = Field(default=0.1, ge=0, lt=1)

    def body(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> "GraphSAGE":
        """The untrained model on `world`."""
        return GraphSAGE(self, world, seed=seed, device=device)


class GraphSAGE(EmbeddingModel):
    """h_n^(l+1) = σ(h_n^(l) W_l + mean_{m in N(n)} h_m^(l) V_l), unit length but for the last.

    Mean aggregator of Hamilton et al. 2017 (algorithm 1, the concatenation's weight in two parts);
    σ is the rectifier, the last layer has none and keeps its length. The mean is weighted by the
    edges; in training it is that of `fanout` neighbours drawn anew for each batch, so that a batch
    costs the same on a graph of any size. A node without an embedding is what its text and its
    neighbours make of it (as with Volkovs et al. 2017, DropoutNet).
    """

    batches: torch.Tensor

    def __init__(
        self,
        config: GraphSAGEConfig,
        world: World,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ):
        super().__init__(config, world, seed=seed, device=device)
        self.config, self.seed = config, seed
        graph, turned = world.graph, world.graph.T.tocsr()
        self.to_users, self.to_items = (
            Product(history_scale(matrix, 1) @ matrix, device) for matrix in (graph, turned)
        )
        self.of_users, self.of_items = (
            NeighbourSampler(matrix, device) for matrix in (graph, turned)
        )
        d, hops = config.dimensions, range(config.hops)
        self.own = nn.ParameterList(self.glorot(d, d) for _ in hops)
        self.met = nn.ParameterList(self.glorot(d, d) for _ in hops)
        # Of every draw; among the state, so that a continued training draws what it would have.
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))
        self.to(device)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of users [U, d] and items [I, d], from all neighbours."""
        users, items = self.hop_zero()
        for hop in range(self.config.hops):
            users, items = (
                self._layer(hop, users, self.to_users @ items),
                self._layer(hop, items, self.to_items @ users),
            )
        return users, items

    def rows(
        self, user_rows: torch.Tensor, item_rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of these rows; in training from drawn neighbours."""
        if not self.training:
            return super().rows(user_rows, item_rows)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + int(self.batches))
        self.batches += 1
        hops, nodes = [], (user_rows, item_rows)
        for _ in range(self.config.hops):
            hops.append(self._drawn(*nodes, generator))
            nodes = hops[-1].nodes
        users, items = self._start(*nodes, generator)
        for hop, drawn in enumerate(reversed(hops)):
            users, items = (
                self._layer(hop, users[drawn.users], drawn.mean_item(items)),
                self._layer(hop, items[drawn.items], drawn.mean_user(users)),
            )
        return users, items

    def on(self, world: World) -> "GraphSAGE":
        """This model in a grown world: its first users and items are those of this one, in order.

        Nothing is trained: the new ones have no embedding. Raises SettingError for a world that
        has fewer, or texts where this one had none, or none where it had some.
        """
        here, there = self.world.graph.shape, world.graph.shape
        if there[0] < here[0] or there[1] < here[1]:
            raise SettingError(
                f"the world has {there[0]} users and {there[1]} items: expected at least the"
                f" {here[0]} and {here[1]} that the model was trained on"
            )
        if (world.text is None) != (self.text is None):
            raise SettingError("the model and the world must both have texts, or neither")
        model = GraphSAGE(self.config, world, seed=self.seed, device=self.device)
        state = self.state_dict()
        with torch.no_grad():
            for name in ("user_embedding", "item_embedding"):
                known, table = state.pop(name), getattr(model, name)
                table.zero_()[: len(known)] = known
        model.load_state_dict(state, strict=False)
        return model.train(self.training)

    def _layer(self, hop: int, own: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
        vectors = own @ self.own[hop] + mean @ self.met[hop]
        if hop + 1 == self.config.hops:
            return vectors
        return functional.normalize(vectors.relu(), dim=1)

    def _start(
        self, user_rows: torch.Tensor, item_rows: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`hop_zero_rows` where some have lost their embedding."""
        users, items = self.hop_zero_rows(user_rows, item_rows)
        lost_users, lost_items = (
            (torch.rand(len(rows), 1, generator=generator) < self.config.id_dropout).to(rows.device)
            for rows in (user_rows, item_rows)
        )
        return (
            users - lost_users * self.user_embedding[user_rows],
            items - lost_items * self.item_embedding[item_rows],
        )

    def _drawn(
        self, users: torch.Tensor, items: torch.Tensor, generator: torch.Generator
    ) -> "_Drawn":
        fanout = self.config.fanout
        met_items, user_known = self.of_users.draw(users, fanout, generator)
        met_users, item_known = self.of_items.draw(items, fanout, generator)
        inner_users, user_places = torch.cat([users, met_users.ravel()]).unique(return_inverse=True)
        inner_items, item_places = torch.cat([items, met_items.ravel()]).unique(return_inverse=True)
        return _Drawn(
            nodes=(inner_users, inner_items),
            users=user_places[: len(users)],
            items=item_places[: len(items)],
            met_items=item_places[len(items) :].view(met_items.shape),
            met_users=user_places[len(users) :].view(met_users.shape),
            user_known=user_known.float()[:, None],
            item_known=item_known.float()[:, None],
        )


@dataclass(frozen=True)
class _Drawn:
    """One hop inwards from u users and i items.

    nodes: rows of the users and items that the hop reads; users [u], items [i]: places among them
    of those it is for; met_items [u, k], met_users [i, k]: of whom they met; user_known [u, 1],
    item_known [i, 1]: 0 for those who met nobody.
    """

    nodes: tuple[torch.Tensor, torch.Tensor]
    users: torch.Tensor
    items: torch.Tensor
    met_items: torch.Tensor
    met_users: torch.Tensor
    user_known: torch.Tensor
    item_known: torch.Tensor

    def mean_item(self, items: torch.Tensor) -> torch.Tensor:
        """Of each user [u, d]."""
        return items[self.met_items].mean(dim=1) * self.user_known

    def mean_user(self, users: torch.Tensor) -> torch.Tensor:
        """Of each item [i, d]."""
        return users[self.met_users].mean(dim=1) * self.item_known
