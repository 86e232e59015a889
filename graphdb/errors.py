"""The base of every error that has one clear sentence for its reader."""


class PathlightError(Exception):
    """Something the reader can act on: the message is one sentence, without a trace."""


class GraphUnavailableError(PathlightError):
    """The graph did not answer in time; asking again later may help."""
