"""Two or more runs against each other: metrics side by side, and generators before foreign discriminators."""
