"""Feature extractors, one file each: `build(*, weights=None, device="auto") -> Extractor`."""
