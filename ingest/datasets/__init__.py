"""Known data sets, a file each, and the folders that they are found in."""
