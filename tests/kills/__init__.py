"""SIGKILL at random moments of small trainings over the catalog: they resume to the same bits, and nothing is left."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "training"), str(TESTS / "old_runs")]  # helpers of other tests, imported by name
