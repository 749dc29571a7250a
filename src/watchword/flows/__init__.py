"""Use cases that are no grant, one file each."""
