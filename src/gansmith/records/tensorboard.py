"""Records for TensorBoard, in the run's `tensorboard/` folder."""

from __future__ import annotations

from pathlib import Path

from gansmith.records.recorder import Record
from gansmith.system.extras import missing_extra


class TensorBoard:
    """Every number of a record as a scalar over the real images drawn. Scalars that an earlier process wrote after
    `begin` images are purged.

    Raises MissingExtraError without the extra.
    """

    def __init__(self, folder: Path, *, begin: int = 0) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise missing_extra("TensorBoard is not installed", "tensorboard") from None
        self._writer = SummaryWriter(str(folder), purge_step=begin + 1 if begin else None)

    def record(self, record: Record) -> None:
        for name, value in record.items():
            if name not in ("step", "images") and isinstance(value, (int, float)):
                self._writer.add_scalar(name, value, record["images"])

    def close(self) -> None:
        self._writer.close()
