"""What pytest-benchmark writes into its JSON about the machine: no host name."""

from __future__ import annotations

from benchmarks.figures import machine


def pytest_benchmark_generate_machine_info() -> dict[str, str | int | float]:
    """In place of its own, which names the host."""
    return machine()


def pytest_benchmark_generate_commit_info() -> dict[str, str]:
    """Nothing: results stay beside the tree that they were measured on."""
    return {}
