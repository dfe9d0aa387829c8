"""No tracing is left behind by any test."""

from __future__ import annotations

import pytest
from torch.overrides import _get_current_function_mode_stack

from gansmith import autograd


@pytest.fixture(autouse=True)
def _nothing_left_behind():
    yield
    assert _get_current_function_mode_stack() == []
    assert autograd._active.get() == ()
