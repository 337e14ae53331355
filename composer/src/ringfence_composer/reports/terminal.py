"""Reports for a terminal: results on stdout, everything else on stderr; foreign text is escaped, nothing is markup.

Piped, no colours and no progress are written; NO_COLOR is respected (rich does both).
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text
from ringfence.contract.errors import Denial, Problem
from ringfence.contract.lock import Decision

from ringfence_composer.build import BuiltGroup
from ringfence_composer.groups import entry_limits
from ringfence_composer.plan import Plan, PlannedNode
from ringfence_composer.resolve import ResolvedGraph

_COLOURS: dict[Decision, str] = {"linked": "cyan", "granted": "green", "runtime": "yellow", "denied": "dim"}
_INDENT = "  "
"""As wide as the spinner."""
_SHOWN_AS: dict[Decision, str] = {"linked": "linked", "granted": "granted", "runtime": "granted", "denied": "denied"}


def printable(text: str) -> str:
    """The text with everything a terminal might act on escaped; line feeds stay."""
    return "".join(char if char == "\n" or _harmless(char) else char.encode("unicode_escape").decode("ascii") for char in text)


def _harmless(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] != "C" and category not in ("Zl", "Zp")


class Terminal:
    """Prints to a terminal or a pipe. `step` shows what is going on, where somebody is there to see it. Safe in threads."""

    def __init__(self) -> None:
        self.out = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
        self.err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
        self._status = self.err.status("") if self.err.is_terminal else None
        self._shown = False
        self._lock = threading.RLock()

    def step(self, message: str) -> None:
        """Show a step of the work: the newest beside a spinner on a terminal, nothing in a pipe. Of what goes on at once, a line each."""
        if self._status is None:
            return
        with self._lock:
            width = max(10, self.err.width - len(_INDENT))
            lines = [Text(line) for line in printable(message).split("\n")]
            for line in lines:
                line.truncate(width, overflow="ellipsis")
            self._status.update(Text(f"\n{_INDENT}").join(lines))
            if not self._shown:
                self._status.start()
                self._shown = True

    def done(self) -> None:
        """Take the spinner away."""
        with self._lock:
            if self._status is not None and self._shown:
                self._status.stop()
                self._shown = False

    def line(self, text: str) -> None:
        """One result on stdout."""
        self.done()
        self.out.print(Text(printable(text)))

    def text(self, text: Text) -> None:
        """One styled result on stdout; its text must be printable already."""
        self.done()
        self.out.print(text)

    def note(self, text: str, style: str = "") -> None:
        """One remark on stderr."""
        with self._lock:
            self.done()
            self.err.print(Text(printable(text), style=style))

    def error(self, text: str, hint: str | None = None, detail: str = "") -> None:
        """An error on stderr: the message, then the remedy, then what a tool printed."""
        self.done()
        shown = Text.assemble(("error: ", "bold red"), printable(text))
        self.err.print(shown)
        if hint:
            self.err.print(Text(f"  {printable(hint)}", style="cyan"))
        if detail.strip():
            self.err.print(Text(_indented(printable(detail.strip())), style="dim"))

    def problems(self, problems: Sequence[Problem]) -> None:
        """Every problem, in the order given, and how many there are."""
        self.done()
        for one in problems:
            head, _, tail = str(one).partition("\n")
            self.err.print(Text(printable(head)))
            if tail:
                self.err.print(Text(printable(tail), style="cyan"))
        self.err.print(Text(f"{_counted(len(problems), 'problem')} found", style="bold red"))

    def denials(self, denials: Iterable[Denial], remedy: str = "") -> None:
        """What a run was refused and no error told of, in a line each; then the command that shows what would allow it."""
        for one in dict.fromkeys(denials):
            self.note(f"note: {one.brief}{' (expected)' if one.expected else ''}", style="dim" if one.expected else "yellow")
        if remedy:
            self.note(f"what would allow it: {remedy}", style="cyan")

    def checked(self, graph: ResolvedGraph) -> None:
        """That a graph holds."""
        manifest = graph.manifest
        nodes, edges = _counted(len(manifest.nodes), "node"), _counted(len(manifest.edges), "edge")
        self.line(f"{manifest.document.file}: {nodes}, {edges}: no problems found")

    def plan(self, plan: Plan) -> None:
        """Every node with what it is given, and the decision for each of its imports."""
        self.done()
        for index, node in enumerate(plan.nodes):
            if index:
                self.out.print()
            self._node(plan, node)
        for one in plan.built.groups:
            self.out.print()
            self._group(plan, one)

    def _group(self, plan: Plan, one: BuiltGroup) -> None:
        """One component of several nodes, and what calls that come in by each of them may use."""
        lane = f"{one.node.lane} lane: {one.node.lane_reason}"
        self.out.print(Text.assemble((one.group.name, "bold"), f"  one component of {len(one.group.nodes)} nodes, in one store  ({lane})"))
        for name in sorted(one.group.entries):
            found = entry_limits(plan.manifest, one.group, name)
            said = ", ".join(f"{limit} {value}" for limit, value in found.items())
            self.out.print(Text.assemble("  called by way of ", (name, "bold"), f": {said}"))

    def _node(self, plan: Plan, node: PlannedNode) -> None:
        written, file = plan.manifest.node(node.name), plan.manifest.file.name
        mode = f"{written.instances}, shared" if written.shared else written.instances
        group = next((one.group.name for one in plan.built.groups if node.name in one.group.nodes), "")
        joined = f", in {group}" if group else ""
        self.out.print(Text.assemble((node.name, "bold"), f"  {node.world}  ({mode}, {node.lane} lane: {node.reason}{joined})"))
        for grant in node.grants:
            place = f"  {file}:{grant.line}" if grant.line else ""
            style = "bold red" if grant.exfiltrates else "green"
            through = f" (through {grant.through} only)" if grant.through else ""
            self.out.print(Text.assemble("  + ", (printable(grant.words), style), (through, "cyan"), (place, "dim")))
        for kind in node.idle:
            self.out.print(Text(f"  note: no import of {node.name} asks for its {kind} grant", style="yellow"))
        width = max((len(one.name) for one in node.imports), default=0)
        for one in node.imports:
            place = f"  {file}:{one.line}" if one.line else ""
            decision = (_SHOWN_AS[one.decision].ljust(8), _COLOURS[one.decision])
            by = f"({one.by})" if one.decision == "runtime" else one.by
            self.out.print(Text.assemble(f"  {printable(one.name).ljust(width)}  ", decision, f" {by}", (place, "dim")))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
