from tests.training.models.contract import ModelContract
from training.models.mf import MFConfig


def embeddings_alone(weights, world, config):
    users, items = weights["user_embedding"], weights["item_embedding"]
    if world.text is not None:
        items = items + world.text @ weights["text_projection"]
    return users, items


class TestMF(ModelContract):
    config = MFConfig()
    dense = staticmethod(embeddings_alone)
    propagates = False
    band = (0.39, 0.43)
