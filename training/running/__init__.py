"""One training as it runs: batches, steps, epochs, checkpoints, processes, memory and time."""
