"""Speed, measured: `python -m benchmarks` runs everything here, `python -m benchmarks.step` one part of it.

    step      one training step: the textbook's loop, the same written by hand, gansmith's engine
    engine    what the engine costs with a game that does nothing; whether memory grows
    loader    images per second out of the pixel cache, through the stream, from encoded files
    evaluation  the judge's matrix work, beside the plain matrix product
    startup   how soon the command line answers

Every part prints what it ran on, and median, smallest, largest and number of its values beside the target it has.
"""
