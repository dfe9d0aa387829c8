"""Is it right there? The tests marked `cuda`, the essential ones first, each with its outcome and what it measured."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.device.part import Part, main

TESTS = Path(__file__).parents[2] / "tests" / "cuda"
# parts of tests' names in the order in which they play; what no part fits comes before the last three
ORDER = ("wait", "to_the_bit", "three_steps", "kernels", "memory", "samples", "float32_agrees")
LAST = ("killed_run_resumes_exactly[auto]", "bfloat16_is_near", "killed")
LONG = {"killed": 20.0}  # seconds that a test may take
_LONGEST = 60  # seconds of one test


def place(name: str) -> int:
    """Where a test comes among the others."""
    first = next((number for number, part in enumerate(ORDER) if part in name), len(ORDER))
    last = next((number for number, part in enumerate(LAST, len(ORDER) + 1) if part in name), 0)
    return last or first


class Report:
    """A pytest plugin: writes every test's outcome down as it comes, and lets none begin after the limit."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: place(item.name))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        needed = next((seconds for part, seconds in LONG.items() if part in item.name), 0.0)
        if self.part.left() < needed and not self.part.quick:
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
    files = sorted(TESTS.glob("test_*.py"))
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
        chosen += ["-k", "plain or hinge-dcgan or to_the_bit and dcgan or waiting or samples_agree"]
    code = pytest.main([*chosen, *map(str, files)], plugins=[Report(part)])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):  # failures are results; no tests are none
        raise SystemExit(f"the tests did not run: {pytest.ExitCode(code).name}")


if __name__ == "__main__":
    main(measure, __doc__)
