"""The online-retail invoices (UCI): a line an article bought, or with a negative quantity returned.

    online_retail.parquet, or online_retail.csv   InvoiceNo, StockCode, Description, Quantity,
                                                  InvoiceDate, UnitPrice, CustomerID, Country

Lines without a customer cannot be an event and are rejected. Postage, fees and the like are
articles of the file and are kept: what counts is the analyst's to say.
"""

from pathlib import Path

from graphdb.file_specs import CatalogueFiles, EventFiles
from ingest.datasets.dataset import Reader
from ingest.datasets.table_set import TableSet
from ingest.tables.catalogue_table import CatalogueTable
from ingest.tables.event_table import EventTable

EVENTS = EventFiles(
    columns={
        "user_id": "CustomerID",
        "item_id": "StockCode",
        "occurred_at": "InvoiceDate",
        "value": "Quantity",
        "session_id": "InvoiceNo",
    },
    event_type="bought",
    negative="returned",
)
# Lines without a customer are the warehouse's: what they describe is what became of the goods.
ITEMS = CatalogueFiles(
    columns={"id": "StockCode", "title": "Description"}, first=True, needs="CustomerID"
)
USERS = CatalogueFiles(columns={"id": "CustomerID", "country": "Country"}, first=True)


def read_online_retail(folder: Path) -> TableSet:
    """The folder's one table. Raises DatasetError when it is read and lacks a column."""
    file = _file(folder)
    return TableSet(
        name="online-retail",
        domain="shop",
        description="online-retail: the invoice lines of a British gift shop, 2010 and 2011",
        events=EventTable("online-retail", (file,), EVENTS),
        items=(CatalogueTable("items", file, ITEMS),),
        users=(CatalogueTable("users", file, USERS),),
    )


def _file(folder: Path) -> Path:
    return next(iter(sorted(folder.glob("online_retail.*"))), folder / "online_retail.parquet")


READER = Reader(
    "online-retail (online_retail.parquet or .csv)",
    lambda folder: _file(folder).is_file(),
    read_online_retail,
)
