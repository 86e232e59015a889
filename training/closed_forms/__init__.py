"""The closed forms, one file each, found by `training.closed_form.ClosedFormConfig.find`."""
