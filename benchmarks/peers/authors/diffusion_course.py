"""The diffusion model at the settings of the first unit of the library's course, which are for 32 px."""

from __future__ import annotations

from benchmarks.peers.authors.diffusion import COURSE, build
from benchmarks.peers.authors.task import program

if __name__ == "__main__":
    program(build(COURSE))
