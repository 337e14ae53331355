"""The grants of an edge in plain words, parameters included: what a plan, a picture and an explanation all say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ringfence.contract import grants
from ringfence.contract.lock import LockedParameter
from ringfence.contract.parameters import SAMPLES, references, substitute

EXFILTRATES = "(can exfiltrate)"
"""How the kinds' wordings mark a grant that lets a guest send data to names of its choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """One grant in words. `index` is its place in the written list (0 where the form is no list), `form` what is written there."""

    kind: str
    index: int
    form: Any
    words: str

    @property
    def exfiltrates(self) -> bool:
        """Whether it lets data out to whoever the guest likes."""
        return EXFILTRATES in self.words


def usual_values(parameters: Sequence[LockedParameter]) -> dict[str, str]:
    """A value for each parameter: its default, or where it has none a sample of its type."""
    return {one.name: one.default or SAMPLES[one.type] for one in parameters}


def worded(forms: Mapping[str, Any], parameters: Sequence[LockedParameter] = ()) -> Iterator[Worded]:
    """Every grant of these forms (kind to form, parameters symbolic), in the order written.

    A parameter stands for its default, else for its range; the words say so. The forms must have passed their kinds' `parse`.
    """
    for kind, form in forms.items():
        for index, written in enumerate(form if isinstance(form, list | tuple) else [form]):
            item = [written] if isinstance(form, list | tuple) else written
            for words in _words(kind, item, parameters):
                yield Worded(kind=kind, index=index, form=written, words=words)


def _words(kind: str, form: Any, parameters: Sequence[LockedParameter]) -> Iterator[str]:
    names = dict.fromkeys(references(form))
    used = [one for one in parameters if one.name in names]
    suffix = f" ({', '.join(f'parameter {name}' for name in names)})" if names else ""
    values = usual_values(used)
    parsed = grants.KINDS[kind].parse(substitute(form, values))
    if open_ones := [one for one in used if one.default is None and one.within]:
        # A range (`10.0.0.0/8:443`) mostly reads as a grant itself; where it does not, the sample must do.
        with suppress(ExceptionGroup):
            parsed = grants.KINDS[kind].parse(substitute(form, values | {one.name: one.within[0] for one in open_ones}))
            suffix = suffix.replace("(parameter", "(the range of parameter")
    for grant in parsed:
        yield grants.KINDS[kind].wording(grant) + suffix
