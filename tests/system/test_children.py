"""Children end with their parent when it is killed, whatever they are doing; by themselves they go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from forked import fork
from gansmith.data.dataset import Listed
from gansmith.system.children import end_with, this_process

_LARGE_ITEMS = """
    import numpy as np
    from gansmith.data.dataset import Listed
    items = iter(Listed(range(1000)).load(lambda n: np.zeros(12_000_000, np.uint8)).parallel(workers=2))
    next(items)
    print("ready", flush=True)
    import time
    time.sleep(3600)
"""
_HOLDING_THE_LOCK = """
    import ctypes, time
    from gansmith.data.dataset import Listed
    libc = ctypes.PyDLL(None)  # calls of it keep the interpreter's lock: no other thread of that process runs
    def stuck(number):
        if number > 1:
            time.sleep(1)  # until the queue's thread has sent the item before
            libc.sleep(3600)
        return number
    items = iter(Listed(range(10)).load(stuck).parallel(workers=2))
    next(items)
    print("ready", flush=True)
    next(items), next(items)
"""
_IN_A_THREAD = """
    import threading, time
    import numpy as np
    from gansmith.data.dataset import Listed
    def iterate():
        items = iter(Listed(range(1000)).load(lambda n: np.zeros(12_000_000, np.uint8)).parallel(workers=2))
        next(items)
        print("ready", flush=True)
        time.sleep(3600)
    threading.Thread(target=iterate).start()
    time.sleep(3600)
"""
_DECODING = """
    import time
    import numpy as np
    from gansmith.data import cache
    from gansmith.data.dataset import Dataset, ImageItem
    class Slow(Dataset):
        def __len__(self):
            return 90
        def one(self, index):
            if index == 40:
                print("ready", flush=True)
                time.sleep(3600)
            return ImageItem(np.zeros((4, 4, 1), np.uint8))
    cache.store(Slow(), key="k", names=[str(n) for n in range(90)], workers=2)
"""


def left_of(children: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still live after at most so many seconds."""
    alive = psutil.wait_procs(children, timeout=seconds)[1]
    return [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def killed(parent: subprocess.Popen[str], children: list[psutil.Process]) -> None:
    """SIGKILL the parent; its children must end, which by themselves work for many minutes."""
    try:
        parent.send_signal(signal.SIGKILL)
        parent.wait(timeout=240)
        assert not left_of(children, 60)
    finally:
        for child in left_of(children, 0):
            child.kill()
        parent.communicate()


@pytest.mark.parametrize("program", [_LARGE_ITEMS, _HOLDING_THE_LOCK, _IN_A_THREAD, _DECODING])
def test_children_of_a_killed_process_end(program: str, tmp_path: Path) -> None:
    if program is _HOLDING_THE_LOCK and not sys.platform.startswith("linux"):
        pytest.skip("only the kernel ends such a process")
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GANSMITH_CACHE": str(tmp_path)},
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    time.sleep(0.5)  # until the workers are stuck in what they do
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 2
    killed(parent, children)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on, of threads
def test_a_parent_that_ended_before_the_child_began() -> None:
    child = os.fork()
    if not child:
        try:
            end_with(this_process()._replace(process=os.getpid()))  # nobody's own parent
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on, of threads
def test_a_child_of_a_living_parent_goes_on() -> None:
    parent, child = this_process("fork"), os.fork()
    if not child:
        end_with(parent)
        time.sleep(0.6)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_killed_training_run_leaves_no_decoder(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for number in range(100):
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(tmp_path / "images" / f"{number}.png")
    command = ["train", tmp_path / "images", "--out", tmp_path / "run", "--workers", "2", "--size", "64"]
    command += ["--set", "data.cache=false", "--batch", "64", "--images", "100M", "--device", "cpu"]
    with fork(*command) as parent:
        children: list[psutil.Process] = []
        deadline = time.monotonic() + 240
        while len(children) < 2:
            assert parent.poll() is None, parent.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
            children = psutil.Process(parent.process.pid).children(recursive=True)
        time.sleep(1)
        parent.send_signal(signal.SIGKILL)
        parent.process.join(240)
        try:
            assert not left_of(children, 60)
        finally:
            for child in left_of(children, 0):
                child.kill()


def test_workers_outlive_the_thread_that_started_them() -> None:
    items = iter(Listed(list(range(40))).parallel(workers=2))
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(next(items)))
    thread.start()
    thread.join()
    time.sleep(0.5)
    assert [*seen, *items] == list(range(40))
