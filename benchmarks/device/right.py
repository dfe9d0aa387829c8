"""Is it right there? The tests marked `cuda`, the essential ones first, each with its outcome and what it measured."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.device.part import Part, main

TESTS = Path(__file__).parents[2] / "tests" / "cuda"
FIRST = ("test_losses_on_device", "test_sampling_on_device", "test_engine_on_device")  # any others come after them
_LONGEST = 60  # seconds of one test


class Report:
    """A pytest plugin: writes every test's outcome down as it comes, and lets none begin after the limit."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self.part.left() < 0:
            pytest.skip("no time was left")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.outcome == "passed":
            return
        name = report.nodeid.rpartition("/")[2].removeprefix("test_").replace(".py::test_", ": ")
        told: dict[str, Any] = {"outcome": report.outcome, "seconds": round(report.duration, 2)}
        told |= dict(report.user_properties)
        if report.outcome == "failed":
            told["why"] = str(report.longrepr).splitlines()[-12:]
        elif report.outcome == "skipped" and isinstance(report.longrepr, tuple):
            told["why"] = [str(report.longrepr[2])]
        self.tests[name] = told
        self.part.keep("tests", self.tests)
        self.part.keep("outcomes", dict(Counter(test["outcome"] for test in self.tests.values())))

    def pytest_warning_recorded(self, warning_message: Any, nodeid: str) -> None:
        said = f"{warning_message.category.__name__}: {warning_message.message}"[:300]
        known = self.part.values.get("warnings", [])
        if said not in known:
            self.part.keep("warnings", [*known, said])


def measure(part: Part) -> None:
    os.environ["TEST_DEVICE"] = str(part.device)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # some of an unknown machine's plugins take long to import
    place = {name: number for number, name in enumerate(FIRST)}
    files = sorted(TESTS.glob("test_*.py"), key=lambda path: (place.get(path.stem, len(place)), path.name))
    chosen = [
        "-m",
        "cuda",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "pytest_timeout",
        "-W",
        "default",
        "--timeout",
        str(_LONGEST),
    ]
    if part.quick:
        chosen += ["-k", "plain or hinge-dcgan or to_the_bit and dcgan or killed and auto or waiting or samples"]
    code = pytest.main([*chosen, *map(str, files)], plugins=[Report(part)])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):  # failures are results; no tests are none
        raise SystemExit(f"the tests did not run: {pytest.ExitCode(code).name}")


if __name__ == "__main__":
    main(measure, __doc__)
