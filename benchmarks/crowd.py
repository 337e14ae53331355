"""Several threads at once, each with an instance of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from benchmarks.peers.base import Peer
from benchmarks.work import Work


def crowd(peer: Peer, threads: int, *, long: bool, turns: int) -> Work:
    """So many threads that each call so often; `per` is the calls of all of them, so that a call's time falls as threads help."""
    works = [peer.alone(long=long) for _ in range(threads)]

    def run() -> int:
        failed: list[BaseException] = []
        workers = [threading.Thread(target=_repeat, args=(work, turns, failed)) for work in works]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if failed:
            raise failed[0]
        return threads

    return Work(run=run, per=threads * turns, close=lambda: _close(works))


def _repeat(work: Work, turns: int, failed: list[BaseException]) -> None:
    def batch() -> None:
        run = work.run
        for _ in range(turns):
            run()

    try:
        work.enter(batch)
    except BaseException as error:  # noqa: BLE001 (raised again by the thread that waits)
        failed.append(error)


def _close(works: Sequence[Work]) -> None:
    for work in works:
        work.close()
