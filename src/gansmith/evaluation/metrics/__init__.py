"""Metrics, one file each: a function on feature matrices, and `build(*, options) -> Metric` for the catalog."""
