"""The order that rules make of an order: groups, places, what is never shown, and which acted."""

from api.answers.rules import Ruled, arrange, ruled_out

IDS = list("abcdefgh")
MAKERS = {"makers": {"a": ["x"], "b": ["x"], "c": ["x"], "d": ["y"], "e": ["x", "y"]}}


def listed(arranged) -> str:
    return "".join(IDS[place] for place in arranged.places)


def test_without_rules_the_order_stays():
    arranged = arrange(IDS, 3, {}, {}, {})

    assert (listed(arranged), arranged.acted) == ("abc", {})


def test_of_a_group_so_many_come_and_what_is_in_none_always_may():
    arranged = arrange(IDS, 4, {"makers": 1}, MAKERS, {})

    assert (listed(arranged), arranged.acted) == ("adfg", {"makers": 3})
    assert listed(arrange(IDS, 8, {"makers": 2}, MAKERS, {})) == "abdfgh"
    assert listed(arrange(IDS[:5], 5, {"makers": 1}, MAKERS, {})) == "ad"


def test_what_a_full_list_did_not_come_to_was_not_held_back():
    assert arrange(IDS, 1, {"makers": 1}, MAKERS, {}).acted == {}


def test_the_best_of_what_is_to_be_placed_comes_at_its_position_marked():
    spots = {2: ("sponsored", {"h", "g"}), 9: ("late", {"c"})}

    arranged = arrange(IDS, 4, {}, {}, spots)

    assert listed(arranged) == "agbc"
    assert (arranged.marks, arranged.acted) == ({"g": "sponsored"}, {"sponsored": 1})


def test_a_place_counts_for_its_group_and_is_left_when_nothing_may_stand_there():
    spots = {2: ("sponsored", {"b"})}

    assert listed(arrange(IDS, 3, {"makers": 1}, MAKERS, spots)) == "adf"
    assert listed(arrange(IDS, 3, {"makers": 1}, MAKERS, {1: ("sponsored", {"e"})})) == "efg"
    assert listed(arrange(IDS, 3, {}, {}, {2: ("sponsored", {"nothing"})})) == "abc"


def test_what_is_spare_comes_at_its_spot_only():
    assert listed(arrange(IDS, 8, {}, {}, {2: ("sponsored", {"h"})}, spare=3)) == "ahbc"
    assert listed(arrange(IDS, 8, {}, {}, {}, spare=3)) == "abc"


def test_a_page_goes_on_where_the_list_was():
    spots = {2: ("sponsored", {"h"}), 4: ("late", {"g"})}

    page = arrange(IDS[2:], 3, {"makers": 2}, MAKERS, spots, before=["a", "b"])

    # x is full already, y is not; the second position has been, the fourth is the page's second.
    assert "".join(IDS[2:][place] for place in page.places) == "dgf"
    assert (page.marks, page.acted) == ({"g": "late"}, {"makers": 2, "late": 1})
    assert arrange(IDS[2:], 3, {"makers": 2}, MAKERS, {}, before=["a"]).places == [0, 1, 3]


def test_only_rules_that_bar_something_that_was_found_acted():
    ruled = Ruled({"one": frozenset("abz"), "two": frozenset("z")}, {})

    assert ruled.never == set("abz")
    assert ruled.held_back("abc") == {"one": 2}
    assert ruled_out({}) is None
    assert ruled_out({"one": 2}) == (
        "the rules of the domain hold back everything that was found: one (2)"
    )
