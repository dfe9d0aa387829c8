"""Train in processes that kill themselves, with SIGKILL, at a chosen moment: `python killed.py`.

Each line on stdin is JSON [moment, count, settings]: a process is forked, in which that moment is patched so that the
process dies when it is reached for the count-th time. Its exit status and what it wrote come back as a line of JSON.
Forked, for a new process would import torch anew; and from this one, in which nothing was trained, for torch's backward
passes do not survive a fork.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import pkgutil
import signal
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

import gansmith
from gansmith.models import saved
from gansmith.training import checkpoint
from gansmith.training.averaging import Averaging


def main() -> None:
    torch.set_num_threads(1)
    for module in pkgutil.walk_packages(gansmith.__path__, "gansmith."):
        with suppress(ImportError):  # of an extra that is not installed
            importlib.import_module(module.name)
    for name in ("torch._dynamo", "torch.utils.flop_counter", "sklearn.datasets"):  # what a training imports late
        importlib.import_module(name)
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as output:
            if (process := os.fork()) == 0:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
                try:
                    train(*json.loads(line))
                    print("was not killed", file=sys.stderr)
                except BaseException:
                    traceback.print_exc()
                finally:
                    sys.stderr.flush()
                    os._exit(1)
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            output.seek(0)
            print(json.dumps([status, output.read()]), flush=True)


def train(moment: str, count: int, settings: dict[str, Any]) -> None:
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    reached = 0

    def now() -> bool:
        nonlocal reached
        reached += 1
        return reached == count

    def dying_before(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def patched(*args: Any, **kwargs: Any) -> Any:
            if now():
                die()
            return original(*args, **kwargs)

        setattr(owner, name, patched)

    if moment == "between steps":
        dying_before(Averaging, "update")
    elif moment == "inside a step":
        dying_before(torch.Tensor, "backward")
    elif moment == "before the model files":
        dying_before(saved, "save")
    elif moment == "between link and rename":
        dying_before(checkpoint.Checkpoints, "_link")
    elif moment == "while writing":
        original = torch.save

        def half(state: Any, file: Any) -> None:
            if now():
                whole = io.BytesIO()
                original(state, whole)
                file.write(whole.getvalue()[: whole.tell() // 2])
                file.flush()
                die()
            original(state, file)

        torch.save = half
    else:
        raise SystemExit(f"no moment {moment!r}")
    gansmith.train(**settings)


if __name__ == "__main__":
    main()
