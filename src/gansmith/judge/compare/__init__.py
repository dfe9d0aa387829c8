"""Comparison of runs: metrics side by side, and generators scored by the discriminators of the others."""
