"""A pytest plugin that plays PyKMIP's own integration suite in one protocol version.

The suite always speaks its client's default version. CLAVIS_KMIP_VERSION, such as `1.4`, makes it another one. Each test
is told as a step; its name is the file's and its own. A failure tells what the server refused during the test, and
what pytest has to say.
"""

import os

import pytest
import steps
from kmip.core import enums
from kmip.core.messages.messages import ResponseBatchItem
from kmip.services.kmip_client import KMIPProxy

VERSION = enums.KMIPVersion["KMIP_" + os.environ["CLAVIS_KMIP_VERSION"].replace(".", "_")]
# The refusals that a failure repeats: the first, since those of the cleaning up come last.
REFUSALS = 6

connect = KMIPProxy.__init__
read_item = ResponseBatchItem.read
refusals = []


def with_version(self, *args, **kwargs):
    connect(self, *args, **kwargs)
    self.kmip_version = VERSION


def noting_refusals(self, *args, **kwargs):
    read_item(self, *args, **kwargs)
    if self.result_status.value != enums.ResultStatus.SUCCESS:
        values = [one and getattr(one.value, "name", one.value) for one in (self.operation, self.result_reason)]
        refusals.append("{} refused as {}: {}".format(*values, self.result_message and self.result_message.value))


KMIPProxy.__init__ = with_version
ResponseBatchItem.read = noting_refusals


def last_line(text):
    """What a traceback in text form comes to."""
    return ([line.strip() for line in str(text).splitlines() if line.strip()] or [""])[-1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    name = f"{item.path.stem}::{item.name}"
    if report.failed and not hasattr(item, "failed"):
        # What a fixture does counts as much as what the test does.
        item.failed = True
        error = last_line(call.excinfo.value)
        steps.tell(name, "; ".join([*refusals[:REFUSALS], f"{call.when}: {error}"]))
    elif call.when == "teardown" and not hasattr(item, "failed"):
        steps.tell(name)
    if call.when != "setup":
        refusals.clear()
    return report
