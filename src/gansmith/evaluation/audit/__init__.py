"""The audit: one file for each question, and the report that people read."""
