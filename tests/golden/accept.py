"""Write what the golden sessions give now as what is expected: python -m tests.golden.accept. Review the diff."""

from __future__ import annotations

import tests.conftest  # noqa: F401  (stale kernels would be accepted otherwise)
from tests.golden.sessions import found, sessions


def main() -> None:
    for session in sessions():
        path = session / "expected.jsonl"
        before = path.read_text() if path.exists() else ""
        now = found(session)
        path.write_text(now)
        print(f"{session.name}: {now.count(chr(10))} lines, {'unchanged' if now == before else 'CHANGED'}")


if __name__ == "__main__":
    main()
