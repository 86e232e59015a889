"""The online-retail invoices as they lie in their folder: counts of the file."""

from graphdb.domain import load_domain
from ingest.datasets.folders import read_folder
from ingest.datasets.online_retail import READER
from tests.tables import counted


def test_the_counts_are_the_files(data_folder):
    # 541,909 lines: 135,080 without a customer, of the others 8,905 with a negative quantity.
    found = read_folder(data_folder / "online-retail")

    assert counted(found, load_domain(found.domain)) == {
        "types": {"bought": 397_924, "returned": 8_905},
        "people": 4_372,
        "things": 3_684,
        "rejected": {("user_id", "missing_field"): 135_080},
        "catalogue": {"users": 4_372, "items": 3_684},
    }


def test_it_is_recognised_as_csv_too(tmp_path):
    assert not READER.recognises(tmp_path)
    (tmp_path / "online_retail.csv").write_text("InvoiceNo\n")
    assert READER.recognises(tmp_path)
