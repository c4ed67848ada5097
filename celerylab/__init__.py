"""The learner's toolbox: ``from celerylab import lab``."""

from celerylab.lab import Lab, lab

__all__ = ["Lab", "lab"]
