"""Triangle meshes as binary STL holds them: what the tests of the enclosure ask of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


@dataclass(frozen=True)
class Mesh:
    """Triangles, corners counter-clockwise seen from outside: shape (triangles, 3 corners, 3 axes), in mm."""

    corners: Floats

    @classmethod
    def read(cls, path: Path) -> Mesh:
        raw = path.read_bytes()
        count = int.from_bytes(raw[80:84], "little")
        if len(raw) != 84 + count * _RECORD.itemsize:
            raise ValueError(f"{path.name}: {len(raw)} bytes are no binary STL of {count} triangles.")
        return cls(np.frombuffer(raw, _RECORD, count, 84)["corners"].astype(np.float64))

    def moved(self, scale: tuple[float, float, float], shift: tuple[float, float, float]) -> Mesh:
        return Mesh(self.corners * scale + shift)

    @cached_property
    def doubled(self) -> Floats:
        """Normals of twice the triangles' areas as lengths, shape (triangles, 3)."""
        a, b, c = self.corners.transpose(1, 0, 2)
        return np.asarray(np.cross(b - a, c - a), np.float64)

    @cached_property
    def areas(self) -> Floats:
        return np.asarray(np.linalg.norm(self.doubled, axis=1) / 2, np.float64)

    @cached_property
    def normals(self) -> Floats:
        """Of length 1; NaN in a triangle without area."""
        with np.errstate(invalid="ignore"):
            return self.doubled / (2 * self.areas[:, None])

    @property
    def volume(self) -> float:
        """Enclosed, positive where the triangles look outwards; by the divergence theorem."""
        a, b, c = self.corners.transpose(1, 0, 2)
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)

    @property
    def area(self) -> float:
        return float(self.areas.sum())

    @property
    def bounds(self) -> Floats:
        """Lowest and highest corner, shape (2, 3)."""
        return np.array([self.corners.min(axis=(0, 1)), self.corners.max(axis=(0, 1))])

    @cached_property
    def faces(self) -> npt.NDArray[np.int64]:
        """Triangles as numbers of their points, shape (triangles, 3)."""
        _, numbers = np.unique(self.corners.reshape(-1, 3), axis=0, return_inverse=True)
        return numbers.reshape(-1, 3)

    @cached_property
    def edges(self) -> dict[tuple[int, int], list[int]]:
        """Directed edge, as two numbers of points: the triangles that run along it so."""
        found: dict[tuple[int, int], list[int]] = {}
        for triangle, (a, b, c) in enumerate(self.faces.tolist()):
            for edge in ((a, b), (b, c), (c, a)):
                found.setdefault(edge, []).append(triangle)
        return found

    def holds(self, points: Floats) -> Bools:
        """Which points (n, 3) are inside: a line upwards from them leaves the mesh once more than it enters it.

        The lines are shifted by a thousandth of a mm, so that they meet no edge of a model drawn in rounder numbers.
        """
        order = np.argsort(points[:, 0])
        x, y, z = (points[order] + np.array([0.00113, 0.00071, 0.0])).T
        left = np.zeros(len(points), int)
        first = np.searchsorted(x, self.corners[:, :, 0].min(axis=1))
        last = np.searchsorted(x, self.corners[:, :, 0].max(axis=1))
        for (a, b, c), upward, i, j in zip(self.corners, self.doubled[:, 2], first, last, strict=True):
            if i == j or upward == 0:
                continue
            # Barycentric coordinates of the points under or over the triangle.
            u, v, w = (
                ((p[0] - x[i:j]) * (q[1] - y[i:j]) - (p[1] - y[i:j]) * (q[0] - x[i:j])) / upward
                for p, q in ((b, c), (c, a), (a, b))
            )
            above = (u >= 0) & (v >= 0) & (w >= 0) & (u * a[2] + v * b[2] + w * c[2] > z[i:j])
            left[i:j] += np.where(above, int(np.sign(upward)), 0)
        inside = np.zeros(len(points), bool)
        inside[order] = left > 0
        return inside

    def sampled(self, spacing_mm: float) -> Floats:
        """Points on the surface, on average one in each square of that side; the same at each call."""
        rng = np.random.default_rng(1)
        of = rng.choice(len(self.areas), int(self.area / spacing_mm**2), p=self.areas / self.area)
        u, v = rng.random((2, len(of), 1))
        outside = u + v > 1
        u, v = np.where(outside, 1 - u, u), np.where(outside, 1 - v, v)
        a, b, c = self.corners[of].transpose(1, 0, 2)
        return np.asarray(a + u * (b - a) + v * (c - a))


def box(low: tuple[float, float, float], high: tuple[float, float, float], spacing_mm: float) -> Floats:
    """Points on a grid through a box, its sides included, shape (n, 3)."""
    axes = [np.linspace(a, b, max(2, round((b - a) / spacing_mm) + 1)) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
