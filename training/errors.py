"""Everything training refuses, each as one sentence that says what to do about it."""


class TrainingError(Exception):
    """Base of the errors below."""


class NoEventsError(TrainingError):
    """There is no positive interaction to learn from."""


class InvalidEventError(TrainingError):
    """An event whose weight is not finite; the message names its row."""


class DivergedError(TrainingError):
    """A loss or a gradient stopped being finite; the message names the batch."""


class CatalogueTooLargeError(TrainingError):
    """More items than the closed form can invert."""


class UnknownNameError(TrainingError):
    """A model, loss or closed form is asked for that no file defines; the message lists those that
    are."""


class SettingError(TrainingError):
    """A setting that nobody has or that is out of its range; the message shows what is expected."""


class EmptySplitError(TrainingError):
    """A split leaves nothing to learn from or nothing to ask for."""


class UnknownPropertyError(TrainingError):
    """Groups are asked for by a property that nobody has; the message lists those that are
    there."""
