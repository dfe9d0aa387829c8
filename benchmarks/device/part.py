"""What every part is given, and how it keeps what it measured: in a file, written anew with every result."""

from __future__ import annotations

import argparse
import json
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

_SPARE = 0.92  # of the limit: the rest is for what cannot be interrupted


@dataclass
class Part:
    """One part at work: where it measures and on what, until when, and its results so far."""

    results: Path
    seconds: float
    device: torch.device
    out: Path
    data: Path | None = None
    weights: Path | None = None
    quick: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds until it should be done."""
        return self.begun + _SPARE * self.seconds - time.monotonic()

    def keep(self, name: str, value: Any) -> None:
        """Write `value` down under `name`."""
        self.values[name] = value
        temporary = self.results.with_suffix(".part")
        temporary.write_text(json.dumps(self.values), encoding="utf-8")
        temporary.replace(self.results)

    @contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """An error inside is written down, with the end of its traceback; the part goes on."""
        try:
            yield
        except Exception as error:
            lines = traceback.format_exception(error)
            self.keep("errors", {**self.values.get("errors", {}), name: "".join(lines).splitlines()[-14:]})
            print("".join(lines), flush=True)


def main(measure: Callable[[Part], None], description: str | None) -> None:
    """One part as a program."""
    begun = time.monotonic()
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", type=torch.device, default=torch.device("cuda"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--quick", action="store_true")
    part = Part(**vars(parser.parse_args()), begun=begun)
    if part.device.type == "cuda" and part.device.index is None:
        part.device = torch.device("cuda:0")
    part.keep("machine", facts(part.device))
    measure(part)


def facts(device: torch.device) -> dict[str, Any]:
    """The machine's, and of a card also its capability, memory, and the versions it is driven by."""
    from benchmarks import report
    from gansmith.system import hardware

    found = {**hardware.facts(device), "commit": report.commit(), "load before": report.LOAD}
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        found |= {
            "capability": f"{card.major}.{card.minor}",
            "multiprocessors": card.multi_processor_count,
            "memory": f"{card.total_memory / 2**30:.0f} GiB",
            "CUDA": torch.version.cuda,
            "cuDNN": torch.backends.cudnn.version(),
        }
    return found
