"""Before any test module: numba's cache where the program keeps it, whose name changes with the kernels."""

from __future__ import annotations

from emgtwitch.app.kernels import prepare_kernels

prepare_kernels()
