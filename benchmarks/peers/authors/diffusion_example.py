"""The diffusion model at the settings of the library's unconditional example, scaled to the size of the images."""

from __future__ import annotations

from benchmarks.peers.authors.diffusion import EXAMPLE, build
from benchmarks.peers.authors.task import program

if __name__ == "__main__":
    program(build(EXAMPLE))
