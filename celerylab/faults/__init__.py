"""Fault tests: a photo service of the learner's, put under faults, and what became of its photos.

``lab.fault_test("photos_4_6").run()`` starts the service, breaks things around it, and reports.
Everything that a report says is read from what others hold: files, rows of the album, messages in
the broker, dead letters, alerts. So it is true of faults, too, that somebody else brings about.
"""

from celerylab.faults.fault_test import FaultTest
from celerylab.faults.report import Report

__all__ = ["FaultTest", "Report"]
