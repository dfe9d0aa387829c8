"""Floating-point operations of what runs inside, counted as it is called."""

from __future__ import annotations

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Operations(TorchDispatchMode):
    """Floating-point operation counter by torch's own formulas: `total` of what was called inside.

    Torch's FlopCounterMode hooks into modules besides, and its hooks fail under the double backward of a gradient
    penalty; and it loads torch's compiler, which takes a second of a processor.

    >>> import torch
    >>> with Operations() as counter:
    ...     _ = torch.ones(2, 3) @ torch.ones(3, 4)  # a product and a sum for each of 24
    >>> counter.total
    48.0
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0.0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled inside: the compiler need not be loaded to be told to leave this out

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=result)
        return result
