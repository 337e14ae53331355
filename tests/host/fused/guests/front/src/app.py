"""Asks its neighbours, and the host in its own name."""

import os

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import desk, elsewhere, ledger, tries

CALLS = 0


def attempt(work, *arguments):
    try:
        return Ok(work(*arguments))
    except Err as error:
        return error


def read(path):
    try:
        with open(path) as file:
            return Ok(file.read())
    except OSError as error:
        return Err(type(error).__name__)


class Counter(exports.Counter):
    def add(self, one, other):
        return tries.add(one, other), elsewhere.add(one, other)

    def negate(self, number):
        return tries.negate(number)

    def twice(self, text):
        return tries.twice(text), elsewhere.twice(text)

    def reversed(self, data):
        return tries.reversed(data), elsewhere.reversed(data)

    def getenv(self, name):
        return os.environ.get(name), tries.getenv(name), elsewhere.getenv(name)

    def read_file(self, path):
        return [read(path), attempt(tries.read_file, path), attempt(elsewhere.read_file, path)]

    def fail_to_read(self, path):
        return tries.read_file(path)

    def print(self, text, times):
        tries.print(text, times)

    def trap(self, behind):
        (elsewhere if behind else tries).trap()

    def spin(self, behind):
        (elsewhere if behind else tries).spin()

    def hoard(self, count):
        return tries.hoard(count)

    def counters(self):
        global CALLS
        CALLS += 1
        return CALLS - 1, tries.counter(), elsewhere.counter()

    def open(self, owner, first):
        return desk.open(owner, first)

    def book(self, account, entry):
        return account.book(entry)

    def owner_of(self, account):
        return account.owner(), desk.owner_of(account)

    def settle(self, account):
        return ledger.close(desk.pass_(account))

    def round(self, owners):
        accounts = [ledger.Account(owner) for owner in owners]
        for number, account in enumerate(accounts):
            account.book(ledger.Entry(note="first", amount=number + 1, tags=[account.owner()]))
        total = ledger.sum(accounts)
        names = []
        for account in accounts:
            desk.keep(account)
            back = desk.give_back()
            names.append(back.owner() + ":" + ",".join(tag for entry in ledger.close(back) for tag in entry.tags))
        return names, total, ledger.open_accounts()
