"""Networks with published weights: read after their digest is verified, shared by what judges and what trains."""
