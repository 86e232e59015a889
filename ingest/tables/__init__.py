"""Files of rows: read in chunks of columns, checked a column at a time."""
