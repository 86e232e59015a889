"""The sub-commands of `python -m training`, a file each: `add_arguments` and `run`."""
