"""Trainings of the peers, each a program of its own: torch, numpy and the peer's package only, nothing of gansmith."""
