"""A request's dials: those that the domain makes possible, and a sentence for the others."""

import pytest

from api.answers.dials import dials_asked
from api.problems import InvalidError
from graphdb.domain import Domain, load_domain, parse_domain
from tests.api.answers.test_ordering import SHOP_WITH_GROUPS
from training.reranking import Dials


class Asked(Dials):
    """Dials among other things."""

    k: int = 10


def test_what_the_domain_makes_possible_is_taken():
    shop = parse_domain(SHOP_WITH_GROUPS, "shop.toml")

    dials = dials_asked(shop, Asked(calibration=0.5, exposure=["local:0.2"], k=3), "body")

    assert type(dials) is Dials
    assert dials == Dials(calibration=0.5, exposure=["local:0.2"])


def without_categories() -> Domain:
    films = load_domain("films")
    return films.model_copy(update={"item": films.item.model_copy(update={"categories": None})})


@pytest.mark.parametrize(
    ("domain", "dials", "field", "said"),
    [
        (without_categories(), {"calibration": 0.1}, "body.calibration", "item.categories"),
        (load_domain("films"), {"exposure": ["local:0.1"]}, "body.exposure.0", "has no groups"),
        (
            parse_domain(SHOP_WITH_GROUPS, "shop.toml"),
            {"exposure": ["local:0.1", "far:0.1"]},
            "body.exposure.1",
            "expected one of the groups local",
        ),
    ],
    ids=["calibration", "no-groups", "unknown-group"],
)
def test_what_it_does_not_is_named(domain, dials, field, said):
    with pytest.raises(InvalidError) as refused:
        dials_asked(domain, Asked(**dials), "body")

    (wrong,) = refused.value.errors
    assert wrong["field"] == field
    assert said in wrong["detail"]
