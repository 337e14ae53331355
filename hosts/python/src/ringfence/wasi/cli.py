"""wasi:cli: environment, exit, standard streams, and no terminals.

Source: wasi:cli@0.2.12. WASI hands over all variables at once, so what is not granted is simply absent; single reads can be neither
recorded nor denied.
"""

from __future__ import annotations

from typing import NoReturn

from ringfence.call import Call
from ringfence.contract.errors import GuestExit
from ringfence.contract.grants.args import GetArguments
from ringfence.contract.grants.env import Env, Variable
from ringfence.contract.values import Err, Ok
from ringfence.gate import Permit, permit
from ringfence.wasi.io import InputStream, OutputStream
from ringfence.wasi.stdio import open_output, open_stdin
from ringfence.wasi.tables import Table


def get_environment(call: Call) -> list[tuple[str, str]]:
    """The granted variables, those the host has."""
    grants: tuple[Env, ...] = call.state.policy.of("env")
    permits = [(grant.name, permit(call, Variable(grant.name, grant.value))) for grant in grants if grant.name in call.state.variables]
    return [(name, _value(allowed, name)) for name, allowed in permits]


def _value(permit: Permit, name: str) -> str:
    return permit.call.state.variables[name]


def get_arguments(call: Call) -> list[str]:
    """The granted arguments."""
    granted = call.state.policy.of("args")
    if not granted:
        return []
    return _arguments(permit(call, GetArguments(granted[0].values)))


def _arguments(permit: Permit) -> list[str]:
    request = permit.request
    return list(request.values) if isinstance(request, GetArguments) else []


def initial_cwd(_: Call) -> None:
    """There is none."""


def leave(_: Call, status: Ok[None] | Err[None]) -> NoReturn:
    """End the instance with status 0 or 1."""
    raise GuestExit(1 if isinstance(status, Err) else 0)


def leave_with_code(_: Call, code: int) -> NoReturn:
    """End the instance with a status."""
    raise GuestExit(code)


def get_stdin(call: Call) -> InputStream:
    """The guest's stdin."""
    return open_stdin(call)


def get_stdout(call: Call) -> OutputStream:
    """The guest's stdout."""
    return open_output(call, "stdout")


def get_stderr(call: Call) -> OutputStream:
    """The guest's stderr."""
    return open_output(call, "stderr")


def no_terminal(_: Call) -> None:
    """No stream of a guest is a terminal: a terminal answers to control characters."""


FUNCTIONS: dict[str, Table] = {
    "wasi:cli/environment": {"get-environment": get_environment, "get-arguments": get_arguments, "initial-cwd": initial_cwd},
    "wasi:cli/exit": {"exit": leave, "exit-with-code": leave_with_code},
    "wasi:cli/stdin": {"get-stdin": get_stdin},
    "wasi:cli/stdout": {"get-stdout": get_stdout},
    "wasi:cli/stderr": {"get-stderr": get_stderr},
    "wasi:cli/terminal-input": {},
    "wasi:cli/terminal-output": {},
    "wasi:cli/terminal-stdin": {"get-terminal-stdin": no_terminal},
    "wasi:cli/terminal-stdout": {"get-terminal-stdout": no_terminal},
    "wasi:cli/terminal-stderr": {"get-terminal-stderr": no_terminal},
}
