"""`attention.parquet`, beside an artifact's files: how much each event has in its person's vector.

    user (key), item (id), type, at, attention (float)

One row an event that the model attends to, in the order of users; a person's are 1 in sum. It is
not part of what serves and can be made again: `model.json` has no hash of it. Reading needs no
torch.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from training.artifact import ArtifactError

FILE_NAME = "attention.parquet"
ATTENTION = pa.schema(
    [
        pa.field("user", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        pa.field("type", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("attention", pa.float32(), nullable=False),
    ]
)


def write_attention(artifact: Path, table: pa.Table) -> None:
    """Write `table` (ATTENTION) whole or not at all, in place of an earlier one."""
    building = artifact / f".{FILE_NAME}"
    pq.write_table(table.cast(ATTENTION), building)
    building.replace(artifact / FILE_NAME)


def read_attention(artifact: Path) -> pa.Table:
    """The table, as in ATTENTION. Raises ArtifactError where there is none that can be read."""
    path = artifact / FILE_NAME
    try:
        return pq.read_table(path).cast(ATTENTION)
    except FileNotFoundError:
        raise ArtifactError(f"{artifact} has no {FILE_NAME}") from None
    except (pa.ArrowInvalid, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ArtifactError(f"{path} cannot be read, make it again: {reason}") from None
