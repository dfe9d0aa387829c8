"""Games and networks that only the tests play: they prove that the engine knows nothing of any one game."""
