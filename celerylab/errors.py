"""What the toolbox raises. Every message names what was asked for and what to do."""


class LabError(Exception):
    """Base of everything the toolbox raises on purpose.

    Notebooks show it as its message alone: the frames of the toolbox would hide
    the sentence that helps.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class NotStarted(LabError):
    """The lab was used before ``lab.start()``."""


class BrokerDown(LabError):
    """A broker does not answer."""


class ProcessFailed(LabError):
    """A process ended, or never got ready. The message carries the end of its log."""


class NoSuchModule(LabError):
    """There is no module of the name that a worker or server was asked to run."""


class PortTaken(LabError):
    """Another program listens on the port that was asked for."""


class Timeout(LabError):
    """Something awaited did not happen in time."""
