"""What several test files need."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gansmith import catalog

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

os.environ["OMP_NUM_THREADS"] = "1"  # of this process and of those that tests start; before torch is imported
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in the background of a shell
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # begun by nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
sys.path.insert(0, str(Path(__file__).parent))  # `toys` is imported by name, as a user's own game would be

import undurable  # noqa: F401


@pytest.fixture(autouse=True, scope="session")
def _alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One thread, and a cache that no other process uses, not even another worker of pytest-xdist."""
    import torch

    torch.set_num_threads(1)
    os.environ["GANSMITH_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def _nothing_vouched_for() -> Iterator[None]:
    """Each test begins and ends with no name of code from outside allowed, as a new process would."""
    catalog.forget_vouched()
    yield
    catalog.forget_vouched()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real image sets that some tests read."""
    given = os.environ.get("GANSMITH_TEST_DATA")
    if not given or not Path(given).is_dir():
        pytest.skip("GANSMITH_TEST_DATA does not name the folder of test images")
    return Path(given)


@pytest.fixture
def browser() -> Iterator[WebDriver]:
    """A headless Chromium of its own (tests/browser.py); tests with it are marked `prove`."""
    from browser import started

    with started() as driver:
        yield driver
