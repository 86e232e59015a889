"""What reading files refuses, as one sentence that names the file."""

from graphdb.errors import PathlightError


class DatasetError(PathlightError):
    """A data set that is missing or has a bad row: the message names the file and line."""
