"""Slow proofs of several processes: killed at ten moments, two machines whose link goes down, the launcher and torchrun
with real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import pytest
from trainer_processes import assert_same_end

from gansmith.runs.checkpoint_structure import require_state
from gansmith.runs.run import Run
from ranks import WITHIN, ranks
from small import OPTIONS

pytestmark = [pytest.mark.prove, pytest.mark.timeout(600)]
MOMENTS = (1, 2, 9, 17, 30, 41, 55, 68, 80, 95)  # of the sums of a training, some between two steps, most inside one
SECONDS: list[float] = []  # from the end of one process to that of the other
DYING = """
import os, signal, gansmith.system.collectives as collectives
if os.environ["RANK"] == "{rank}":
    whole, left = collectives._all_reduce, iter(range({moment}))
    def dying(*arguments):
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        whole(*arguments)
    collectives._all_reduce = dying
"""


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ranks") / "run"
    with ranks(2, "train", *OPTIONS, "--no-ruler", "--out", out) as processes:
        assert [process.communicate(timeout=240) and process.returncode for process in processes] == [0, 0]
    return out


@pytest.mark.parametrize(("rank", "moment"), [(number % 2, moment) for number, moment in enumerate(MOMENTS)])
def test_killed_at_any_moment_the_others_end_and_the_run_goes_on(
    rank: int, moment: int, by_two: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with ranks(2, "train", *OPTIONS, "--no-ruler", "--out", out, before=DYING.format(**locals())) as processes:
        while processes[rank].poll() is None:
            time.sleep(0.01)
        begun = time.monotonic()
        said = processes[1 - rank].communicate(timeout=240)[1]
        SECONDS.append(time.monotonic() - begun)
        assert SECONDS[-1] < WITHIN
        assert (processes[rank].returncode, processes[1 - rank].returncode) == (-signal.SIGKILL, 1), said
        assert said.count(f"error: rank {rank}: it has ended") == 1
    for name in Run(out).checkpoints.names() if (out / "checkpoints").exists() else []:
        state = Run(out).checkpoint(name)
        require_state(state)
        assert state["images"] % 128 == 0  # no other checkpoint than those that are due
    with ranks(2, "train", *OPTIONS, "--no-ruler", "--out", out) as processes:
        assert [process.communicate(timeout=240) and process.returncode for process in processes] == [0, 0]
    assert_same_end(out, by_two)


def test_it_takes_less_than_ten_seconds() -> None:
    """The median of the kills above: one of them may meet a machine that does much else."""
    if not SECONDS:
        pytest.skip("it is of the tests before it")
    assert median(SECONDS) < 10


# ---- two machines --------------------------------------------------------------------------------------------------

ROOT = os.name == "posix" and os.geteuid() == 0 and shutil.which("ip") is not None


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=240)


@contextmanager
def two_machines() -> Iterator[tuple[str, str]]:
    """Network namespaces, joined by a cable whose ends are `cable` in each, with the addresses 10.77.0.1 and .2."""
    one, two = names = (f"gansmith{os.getpid()}a", f"gansmith{os.getpid()}b")
    with ExitStack() as stack:
        for name in names:
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
        _ip("link", "add", "cable", "netns", one, "type", "veth", "peer", "name", "cable", "netns", two)
        for number, name in enumerate(names, 1):
            _ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "cable")
            _ip("-n", name, "link", "set", "cable", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield one, two


@contextmanager
def on_machines(names: tuple[str, str], folders: list[Path], *arguments: Any) -> Iterator[list[subprocess.Popen[str]]]:
    """A rank on each, in a folder and with a cache of its own: no disk is shared but that of the program."""
    with ExitStack() as stack:
        processes = []
        for rank, (name, folder) in enumerate(zip(names, folders, strict=True)):
            folder.mkdir(exist_ok=True)
            place = {"RANK": rank, "LOCAL_RANK": 0, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 1, "MASTER_PORT": 29511}
            environment = {**os.environ, **{key: str(value) for key, value in place.items()}, "OMP_NUM_THREADS": "1"}
            environment |= {"MASTER_ADDR": "10.77.0.1", "GLOO_SOCKET_IFNAME": "cable"}
            environment |= {"GANSMITH_CACHE": str(folder / "cache"), "PYTHONPATH": str(Path(__file__).parents[1])}
            words = ["ip", "netns", "exec", name, sys.executable, "-m", "gansmith", *map(str, arguments)]
            process = subprocess.Popen(
                words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(process)
        yield processes


@pytest.mark.skipif(not ROOT, reason="two machines need network namespaces: root, and Debian's iproute2")
def test_two_machines_whose_link_goes_down_end_within_a_minute_and_go_on(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    slow = ["--set", "game=toys.spoiled", "--set", "game.seconds=0.5", "--images", "6400"]
    run = folders[0] / "run"
    with two_machines() as names:
        with on_machines(names, folders, "train", *OPTIONS, *slow, "--no-ruler", "--out", "run") as processes:
            deadline = time.monotonic() + 240
            while not (run / "checkpoints" / "latest.pt").exists():
                assert all(process.poll() is None for process in processes), [p.communicate() for p in processes]
                assert time.monotonic() < deadline
                time.sleep(0.1)
            _ip("-n", names[0], "link", "set", "cable", "down")
            begun = time.monotonic()
            said = [process.communicate(timeout=240)[1] for process in processes]
            assert time.monotonic() - begun < 60
        assert [process.returncode for process in processes] == [1, 1], said
        for rank, text in enumerate(said):
            assert text.count(f"error: rank {1 - rank}: nothing was heard of it for 40 seconds") == 1
        assert not (folders[1] / "run").exists()
        images = Run(run, trust=True).checkpoint()["images"]
        assert images % 128 == 0
        _ip("-n", names[0], "link", "set", "cable", "up")
        more = str(images + 32)
        with on_machines(names, folders, "resume", "run", "--images", more, "--trust", "--no-ruler") as processes:
            said = [process.communicate(timeout=240)[1] for process in processes]
        assert [process.returncode for process in processes] == [0, 0], said
        assert Run(run, trust=True).checkpoint()["images"] == images + 32
        assert not (folders[1] / "run").exists()


# ---- the launchers -------------------------------------------------------------------------------------------------


@contextmanager
def started(*words: Any) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-m", *map(str, words)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def wait_for(path: Path, process: subprocess.Popen[str], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.stat().st_size):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


LONG = ["--set", "game=toys.spoiled", "--set", "game.seconds=0.3"]


@pytest.mark.parametrize("launcher", ["--processes", "torchrun"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_launcher_saves_and_ends_all(launcher: str, number: int, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = ["gansmith", "train", *OPTIONS, *LONG, "--no-ruler", "--out", out]
    if launcher == "torchrun":
        command = ["torch.distributed.run", "--nproc-per-node", "2", "-m", *command]
    else:
        command += ["--processes", "2"]
    with started(*command) as process:
        wait_for(out / "events.jsonl", process)
        children = psutil.Process(process.pid).children()
        process.send_signal(number)
        said = process.communicate(timeout=240)[1]
    assert not [child for child in children if child.is_running()]
    assert said.count("everything is saved. Continue with: gansmith resume") == 1
    images = Run(out, trust=True).checkpoint()["images"]
    assert Run(out, trust=True).records[-1]["images"] == images < 320
    if launcher == "--processes":
        assert process.returncode == 128 + number
        assert "Traceback" not in said


def test_after_a_kill_the_launcher_begins_again_and_the_end_is_the_same(by_two: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    more = ["--processes", "2", "--max-restarts", "1", "--out", out]
    with started("gansmith", "train", *OPTIONS, *LONG, "--no-ruler", *more) as process:
        wait_for(out / "checkpoints" / "latest.pt", process)
        psutil.Process(process.pid).children()[-1].kill()
        said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said
    assert said.count("of 2 was ended by SIGKILL") == 1
    assert "begun again (1 of 1)" in said
    assert "Traceback" not in said
    assert_same_end(out, by_two)
