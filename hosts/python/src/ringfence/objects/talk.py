"""A call of a library that holds something of the application's: it runs in a thread of its own, and the caller's thread answers."""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from ringfence.call import Call
from ringfence.objects.agreed.terms import Malformed
from ringfence.objects.errors import BorderViolated, StaleObject
from ringfence.objects.serving import Conversation

PATIENCE = 0.05
"""Seconds between two looks at the deadline, while the application's code runs."""


class Worker:
    """The thread in which a connection's calls run."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def submit(self, job: Callable[[], None]) -> None:
        """Have it done; it must not raise."""
        self._jobs.put(job)

    def stop(self) -> None:
        """End the thread when its work is done."""
        self._jobs.put(None)


class Talk:
    """One such call: what comes from the library, and what goes back."""

    def __init__(self, library: str, read: Callable[[str], Any], answer: Callable[[list[Any]], str]) -> None:
        """`read` makes a request of its text, `answer` the text that answers one."""
        self.conversation = Conversation(library, self._asked)
        self._parse, self._answer = read, answer
        self._questions: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._answers: SimpleQueue[str] = SimpleQueue()
        self._end: tuple[str, Any] | None = None
        self._depth = 0
        self._urgent: BaseException | None = None
        self._over = False
        self._answering = False
        self._process = os.getpid()

    @property
    def abandoned(self) -> bool:
        """Whether the call has ended (its deadline passed, say) while the application's function that it asked still runs."""
        return self._over and self._answering

    @property
    def ended(self) -> bool:
        """Whether the call is over: nobody waits for an answer any more."""
        return self._end is not None

    def urgent(self, error: BaseException) -> None:
        """Have this raised when the call has ended, whatever it gives."""
        self._urgent = self._urgent or error

    def is_urgent(self, error: BaseException) -> bool:
        """Whether this is what `urgent` was told of."""
        return error is self._urgent

    def run(self, worker: Worker, call: Callable[[], str]) -> str:
        """The call's result; whatever the library asks meanwhile is answered in this thread."""
        context = contextvars.copy_context()

        def job() -> None:
            try:
                found: tuple[str, Any] = ("done", context.run(call))
            except BaseException as error:  # noqa: BLE001 -- raised again in the caller's thread
                found = ("failed", error)
            self._over = True
            self._questions.put(found)

        worker.submit(job)
        kind, found = self._serve()
        if self._urgent is not None:
            raise self._urgent
        if kind == "failed":
            raise found
        result: str = found
        return result

    def perform(self, operation: str) -> Any:
        """What an operation gives, performed within the call."""
        self._depth += 1
        try:
            self._answers.put(operation)
            kind, found = self._serve()
        finally:
            self._depth -= 1
        if kind == "did":
            return found
        if kind == "failed":
            raise found
        raise BorderViolated("the library returned while it was asked to do something")

    def _asked(self, call: Call, request: str) -> str:
        """In the worker's thread: the caller's answer. The deadline ends the waiting for it."""
        self._questions.put(("ask", request))
        while True:
            try:
                return self._answers.get(timeout=min(PATIENCE, max(0.001, call.remaining())))
            except Empty:
                call.check()

    def _serve(self) -> tuple[str, Any]:
        """Answer questions until the call ends, or what was asked of the library is done."""
        while True:
            if self._end is not None:
                return self._end
            kind, found = self._next()
            if kind != "ask":
                self._end = (kind, found)
                return self._end
            request = self._read(found)
            if request[0] == "did" and self._depth:
                return "did", request[1]
            self._answers.put(self._answered(request))

    def _answered(self, request: list[Any]) -> str:
        depth, self._depth = self._depth, 0
        answering, self._answering = self._answering, True
        try:
            return self._answer(request)
        finally:
            self._depth, self._answering = depth, answering

    def _next(self) -> tuple[str, Any]:
        """The next question, or the end. What interrupts the waiting (Ctrl-C) ends the call."""
        while True:
            if os.getpid() != self._process:
                return "failed", StaleObject("this call was the parent process's: a function that it was waiting for has forked")
            try:
                return self._questions.get()
            except BaseException as error:  # noqa: BLE001 -- raised when the call has ended
                self.urgent(error)
                self.conversation.interrupt(error)

    def _read(self, text: str) -> list[Any]:
        try:
            found = self._parse(text)
        except Malformed:
            return [None]
        return found if type(found) is list and len(found) > 1 else [None]
