"""The launcher of several processes: how their ends become one, who failed first, and what rank 0 waits for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gansmith.errors import OptionError
from gansmith.system import launcher
from gansmith.system.launcher import LOST, End, _end, environment_of, launch, threads_of_each
from refusals import refused


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a module `gansmith` into the way of the launcher's processes, which runs these lines: `rank` is known, and
    `ready()` lets the others begin. Returns the folder in which they run."""

    def install(lines: str) -> Path:
        package = tmp_path / "gansmith"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
        begin = "import os, signal, sys, time\nrank = int(os.environ['RANK'])\n"
        begin += "ready = lambda: os.write(int(os.environ['GANSMITH_READY']), b'ready\\n') if rank == 0 else None\n"
        (package / "__main__.py").write_text(begin + lines)
        monkeypatch.chdir(tmp_path)  # `python -m` looks there first
        return tmp_path

    return install


@pytest.mark.parametrize(
    ("statuses", "end"),
    [
        ([0, 0], End(0)),
        ([143, 143], End(143)),
        ([130, LOST], End(130)),  # Ctrl-C twice: rank 0 ended at once
        ([1, LOST], End(1)),  # rank 0 has said why
        ([1, 1], End(1)),
        ([2, 0], End(2)),
        ([LOST, -9], End(LOST, (1, -9))),
        ([-9, LOST], End(LOST, (0, -9))),
        ([143, -9], End(LOST, (1, -9))),  # rank 0 waited for it, and was asked to end
        ([LOST, 3, LOST], End(LOST, (1, 3))),
        ([0, -11], End(0)),  # everything was written
    ],
)
def test_the_end_of_all_is_one(statuses: list[int], end: End) -> None:
    assert _end(statuses, None) == end


def test_the_words_name_the_rank_and_the_signal() -> None:
    assert End(LOST, (1, -9)).words(4) == "rank 1 of 4 was ended by SIGKILL"
    assert End(LOST, (2, 3)).words(4) == "rank 2 of 4 ended with status 3"


def test_the_environment_is_that_of_torchrun() -> None:
    ranks = [environment_of(rank, 2, 1234) for rank in range(2)]
    assert [(one["RANK"], one["LOCAL_RANK"], one["WORLD_SIZE"]) for one in ranks] == [("0", "0", "2"), ("1", "1", "2")]
    assert {(one["MASTER_ADDR"], one["MASTER_PORT"], one["LOCAL_WORLD_SIZE"]) for one in ranks} == {
        ("127.0.0.1", "1234", "2")
    }
    assert threads_of_each(10**6) == 1


def test_the_others_begin_when_rank_0_is_ready_and_not_where_it_fails(program: Callable[[str], Path]) -> None:
    folder = program("open(f'began{rank}', 'w').close()\nsys.exit(1 if sys.argv[1:] == ['wrong'] else ready() and 0)")
    assert launch(["wrong"], 3) == 1
    assert sorted(path.name for path in folder.glob("began*")) == ["began0"]
    assert launch(["right"], 3) == 0
    assert sorted(path.name for path in folder.glob("began*")) == ["began0", "began1", "began2"]


def test_a_killed_rank_is_named_and_the_others_end(
    program: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    program(f"ready()\nos.kill(os.getpid(), signal.SIGKILL) if rank == 1 else (time.sleep(.5), os._exit({LOST}))")
    assert launch([], 3) == 1
    said = capfd.readouterr().err
    assert said.count("rank 1 of 3 was ended by SIGKILL") == 1
    assert "Traceback" not in said


def test_a_rank_that_does_not_end_is_ended(
    program: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launcher, "GRACE", 0.5)
    program("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nready()\nos._exit(3) if rank == 1 else time.sleep(3600)")
    assert launch([], 2) == 1
    assert "rank 1 of 2 ended with status 3" in capfd.readouterr().err


def test_restarts_go_on_until_all_is_well(program: Callable[[str], Path], capfd: pytest.CaptureFixture[str]) -> None:
    lines = "n = len([p for p in os.listdir('.') if p.startswith('try')])\nready()\n"
    lines += "if rank == 1:\n    open(f'try{n}', 'w').close()\n    n < 2 and os.kill(os.getpid(), signal.SIGKILL)\n"
    lines += "else:\n    while not os.path.exists(f'try{n}'): time.sleep(0.01)\n    n < 2 and time.sleep(0.2)\n"
    program(lines + f"    os._exit({LOST} if n < 2 else 0)")
    assert launch([], 2, restarts=5) == 0
    said = capfd.readouterr().err
    assert "begun again (1 of 5)" in said
    assert "begun again (2 of 5)" in said
    assert "(3 of 5)" not in said


def test_ctrl_c_is_for_rank_0(program: Callable[[str], Path]) -> None:
    """The others do not hear it, wherever it was typed: rank 0 tells them."""
    lines = "ready()\nheard = []\nsignal.getsignal(signal.SIGINT) is not signal.SIG_IGN or heard.append('ignored')\n"
    lines += "signal.signal(signal.SIGINT, lambda *a: heard.append('int')) if rank == 0 else None\n"
    lines += "rank == 0 and os.kill(os.getppid(), signal.SIGINT)\nend = time.monotonic() + 240\n"
    lines += "while rank == 0 and not heard and time.monotonic() < end: time.sleep(0.05)\n"
    folder = program(lines + "open(f'heard{rank}', 'w').write(' '.join(heard))")
    assert launch([], 2) == 0
    assert [(folder / f"heard{rank}").read_text() for rank in range(2)] == ["int", "ignored"]


def test_options_that_contradict_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from gansmith.cli.several import in_several

    context = type("Context", (), {"meta": {}})()
    with refused("--max-restarts", "--processes", error=OptionError):
        in_several(context, None, 2)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with refused("--processes 2", "4", error=OptionError):
        in_several(context, 2, 0)
    assert in_several(context, 4, 0) is False


def test_nothing_of_the_launcher_is_left_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_LAUNCHER", str(os.getppid()))
    reading, writing = os.pipe()
    monkeypatch.setenv("GANSMITH_READY", str(writing))
    monkeypatch.setattr(launcher, "end_with", lambda parent: None)
    monkeypatch.setattr(launcher._State, "launched", False)
    launcher.obey()
    assert launcher.launched()
    assert not {"GANSMITH_LAUNCHER", "GANSMITH_READY"} & os.environ.keys()
    launcher.ready()
    launcher.ready()  # once
    assert os.read(reading, 100) == b"ready\n"
    os.close(reading)
