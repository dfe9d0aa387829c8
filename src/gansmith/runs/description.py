"""Description of a training in one line: its images, its device and threads, its folder."""

from __future__ import annotations

from pathlib import Path

import torch

from gansmith.data.check_images import MODES
from gansmith.experiment.assemble import Assembly
from gansmith.system.text import printable


def description(parts: Assembly, folder: Path, *, processes: int = 1) -> str:
    """The line that a training begins with."""
    data, (channels, height, width) = parts.data, parts.data.shape
    count, held_out = data.amounts()
    what = "points" if data.points else f"image{'s' * (count != '1')}, {height}x{width}, {MODES[channels]}"
    threads = torch.get_num_threads()
    work = f" with {threads} thread{'s' * (threads != 1)}" if parts.device.type == "cpu" else ""
    several = f" in each of {processes} processes" if processes > 1 else ""
    return (
        f"{printable(data.name)}: {count} {what} ({held_out} more held out), "
        f"on {parts.device}{work}{several} in {parts.experiment.precision}, into {printable(folder)}"
    )
