"""Cryptography as pure functions: no I/O, no clock, no settings but those that are passed."""
