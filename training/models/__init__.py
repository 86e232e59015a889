"""The models, one file each, found by `training.model.ModelConfig.find`."""
