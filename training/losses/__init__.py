"""The losses, one file each, found by `training.loss.LossConfig.find`."""
