"""The tiny networks for a game whose generators read images."""

from toys.tiny import discriminator
from toys.tiny import translator as generator

__all__ = ["discriminator", "generator"]
