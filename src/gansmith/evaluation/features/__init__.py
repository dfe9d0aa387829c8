"""Feature extractors, one file each: `build(*, weights=None, device="auto") -> Extractor`.

A file whose weights are published elsewhere also offers `untrained(*, device="auto") -> Extractor`, the same with
random weights: the contract tests run it where the published ones are missing.
"""
