"""What a process cost is what it did."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from benchmarks.material import FS_HZ, write_recording
from benchmarks.processes import cpu_s_by_thread, peak_MB, run, running
from emgtwitch.pipeline import Pipeline

BUSY = "import time\nwhile time.process_time() < {}: pass\nmemory = bytearray({})"


def test_cpu_and_memory_of_a_command_are_told() -> None:
    cost = run([sys.executable, "-c", BUSY.format(0.2, 50_000_000)])
    assert 0.2 <= cost.cpu_s < 1.0
    assert cost.peak_MB > 50
    assert cost.wall_s > 0


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_running_process_is_stopped_afterwards_also_when_its_measurement_fails() -> None:
    with (
        pytest.raises(ValueError, match="no figure"),
        running([sys.executable, "-c", "import time; time.sleep(60)"]) as process,
    ):
        raise ValueError("no figure")
    assert process.returncode is not None


def test_the_threads_of_a_process_are_told_apart_by_their_names() -> None:
    worked, done = threading.Event(), threading.Event()

    def work() -> None:
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text("worker")
        while time.thread_time() < 0.1:
            pass
        worked.set()
        done.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    assert worked.wait(10)
    spent = cpu_s_by_thread(thread.native_id or 0)
    done.set()
    thread.join()
    assert 0.09 < spent.pop("worker") < 0.5
    assert spent


def test_the_most_memory_of_a_running_process_is_told_after_it_gave_it_back() -> None:
    script = "memory = bytearray(80_000_000); del memory; print('done', flush=True); import time; time.sleep(60)"
    with running([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        assert 76 < peak_MB(process.pid) < 200


def test_a_recording_of_any_length_holds_so_much_signal(tmp_path: Path) -> None:
    path = tmp_path / "recording.emgw"
    assert write_recording(path, 601, "quiet") == 601 * FS_HZ
    pipeline = Pipeline()
    pipeline.feed(path.read_bytes())
    assert (pipeline.progress.scans_seen, pipeline.progress.scans_lost) == (601 * FS_HZ, 0)
