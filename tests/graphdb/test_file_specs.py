"""How files map onto a domain: what a domain file may not say of them, and how it is told."""

from importlib import resources

import pytest

from graphdb.domain import DomainError, parse_domain

FILMS = resources.files("domains").joinpath("films.toml").read_text()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ('[files.events]\nencoding = "klingon"', "files.events.encoding: no encoding is called"),
        ('[files.events]\ntime = "fortnights"', "files.events.time: expected iso, seconds"),
        ('[files.events]\nevent_type = "eaten"', "there is no event type 'eaten'"),
        ('[files.events.types]\nE = "eaten"', "there is no event type 'eaten'"),
        ('[files.items.columns]\ncolour = "Farbe"', "files.items: there is no field 'colour'"),
        ('[files.events.columns]\nwho = "User"', "files.events.columns.who"),
        ('[files.events]\nseparator = ""', "files.events.separator"),
        (
            '[files.events]\nproperties = {a = "A"}\ncolumns = {properties = "P"}',
            "name properties either in columns or in a table",
        ),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(files, said):
    with pytest.raises(DomainError, match=said):
        parse_domain(f"{FILMS}\n{files}\n", "films.toml")


def test_how_files_map_onto_a_domain_does_not_change_its_graph():
    mapped = parse_domain(f'{FILMS}\n[files.events]\nevent_type = "rated"\n', "mapped")

    assert mapped.files is not None
    assert mapped.digest == parse_domain(FILMS, "films").digest
