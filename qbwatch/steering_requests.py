"""What people ask of the running daemon to steer it: pause, resume, stop-run, and dbt now. Who did it is in the log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from qbwatch.core.facts import Json, Pause
from qbwatch.core.model import QbwatchError
from qbwatch.edges.control import Method
from qbwatch.edges.control_socket import Peer
from qbwatch.edges.pause_note import read_pause, remove_pause, write_pause
from qbwatch.log import get_logger
from qbwatch.requests import asked_by, name_of
from qbwatch.running import Running
from qbwatch.transform_now import Build, build_now
from qbwatch.worker import Worker

log = get_logger(__name__)

_GRACE = 1.0  # seconds until a statement that keeps the run from ending is cancelled, and between tries
_END_WITHIN = 60.0  # seconds; dbt gets some of them to end its queries
_REQUEST_WITHIN = 3600.0


@dataclass(frozen=True, slots=True)
class SteeringRequests:
    """The methods by which a running qbwatch is steered."""

    running: Running

    def methods(self) -> Mapping[str, Method]:
        """By the names of the commands."""
        return {"pause": self.pause, "resume": self.resume, "stop-run": self.stop_run, "transform": self.transform}

    def recall(self, worker: Worker) -> None:
        """Stay paused after a restart."""
        pause = read_pause(self.running.config.state.directory)
        if pause is not None:
            worker.steering.pause()
            log.warning("still paused", by=pause.by, since=pause.since)

    def pause(self, _params: Json, peer: Peer) -> Json:
        """Begin nothing more by yourself; a run under way ends after its current step."""
        worker = self._worker()
        worker.steering.pause()
        return self._paused(peer, "paused") | {"was_running": worker.busy}

    def resume(self, _params: Json, peer: Peer) -> Json:
        """Go on."""
        worker = self._worker()
        state = self.running.config.state.directory
        before = read_pause(state)
        remove_pause(state)
        worker.steering.resume()
        worker.wake()
        log.info("resumed", by=name_of(peer), uid=peer.uid, pid=peer.pid)
        self.running.changed()
        return {"was_paused": before is not None}

    def stop_run(self, _params: Json, peer: Peer) -> Json:
        """End what is under way at once; its item rolls back and stays pending. Nothing is begun until `resume`."""
        worker = self._worker()
        if not worker.steering.cancel():
            raise QbwatchError("no run is going on", "qbwatch status shows what is; qbwatch pause lets none begin")
        log.warning("the current run is cancelled", by=name_of(peer), uid=peer.uid, pid=peer.pid)
        answer = self._paused(peer, "paused by stopping a run")
        began = time.monotonic()
        while worker.steering.is_cancelled() and time.monotonic() - began < _END_WITHIN:
            worker.steering.wait_end(_GRACE)
            if worker.steering.is_cancelled():
                worker.interrupt()
        if worker.steering.is_cancelled():
            raise QbwatchError("the run has not ended yet; it is paused from then on", "qbwatch status shows it")
        self.running.changed()
        return answer

    def transform(self, params: Json, peer: Peer) -> Json:
        """dbt now, in turn."""
        build = Build.of(params)
        log.info("dbt was asked for", by=name_of(peer), uid=peer.uid, select=build.select, full=build.full_refresh)
        worker = self._worker()
        pipeline = worker.pipeline
        done = worker.have_done(
            lambda connection: build_now(connection, pipeline, build), asked_by(peer, "transform", build.select or "")
        )
        answer: Json = done.result(_REQUEST_WITHIN)
        return answer

    def _paused(self, peer: Peer, what: str) -> Json:
        pause = Pause(datetime.now(UTC), name_of(peer))
        log.info(what, by=pause.by, uid=peer.uid, pid=peer.pid)
        self.running.changed()
        write_pause(self.running.config.state.directory, pause)
        return pause.to_json()

    def _worker(self) -> Worker:
        if self.running.worker is None:
            raise QbwatchError("qbwatch is still starting", "try again in a moment")
        return self.running.worker
