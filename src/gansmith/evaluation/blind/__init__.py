"""Blind test: people say of images whether they are real or made, or which of two looks more real, without a server."""
