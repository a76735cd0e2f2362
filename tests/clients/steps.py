"""What a client did, step by step, told to the test that started it.

The test gives the name of a file in CLAVIS_STEPS. Each step becomes a line of JSON there: its name, and the failure as
text or null. A step that fails does not end the story; what it should have left behind is missing to later ones, which
fail in turn and say so.
"""

import json
import os
import traceback

# Longer texts are cut: a test wants to know what went wrong, not every byte that was on its way.
TEXT_LEN = 2_000


def tell(name, failure=None):
    """Tells of a step; `failure` is None or a text."""
    text = None if failure is None else str(failure)[:TEXT_LEN]
    with open(os.environ["CLAVIS_STEPS"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"name": name, "failure": text}) + "\n")


class Missing(Exception):
    """Something that an earlier step should have made."""


class Story:
    """Steps that share what they make."""

    def __init__(self):
        self.made = {}

    def __getitem__(self, name):
        if name not in self.made:
            raise Missing(f"{name} was not made")
        return self.made[name]

    def step(self, name, call, *args, **kwargs):
        """Does a step and keeps what it returns under its name."""
        try:
            self.made[name] = call(*args, **kwargs)
        except Exception as error:  # Whatever it is, the test is to read it.
            traceback.print_exc()
            tell(name, f"{type(error).__name__}: {error}")
        else:
            tell(name)


def check(condition, what):
    """Like an assertion, but never optimised away."""
    if not condition:
        raise AssertionError(what)


def refused(error, call, *args, **kwargs):
    """The call raises this error; returns it."""
    try:
        call(*args, **kwargs)
    except error as failure:
        return failure
    raise AssertionError(f"{getattr(call, '__name__', call)} was not refused")
