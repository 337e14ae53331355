"""The client as a guest."""

import traffic
from wit_world import exports


class Client(exports.Client):
    def round_trips(self, port, times):
        return traffic.round_trips(port, times)

    def fetch(self, port, count):
        return traffic.fetch(port, count)
