"""Benchmarks. Before any of them imports a kernel: numba's cache where the program keeps it."""

from __future__ import annotations

from emgtwitch.app.kernels import prepare_kernels

prepare_kernels()
