"""Measurements of the claims in the documentation, each beside what it is compared with, in one run."""
