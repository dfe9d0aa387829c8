"""Functions that several tests of autograd trace."""

from __future__ import annotations

import math

import torch

F64 = torch.float64


def branch(a, b, c):
    return a * math.sin(b) if b > c else a + b * c
