"""Faults, injected through the real interfaces, and the state in which the program must be after each."""
