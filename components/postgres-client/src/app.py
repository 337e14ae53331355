"""The component's export. All it consists of is resources, which componentize-py looks for in the module `client`."""

import no_tls

no_tls.install()

import client  # noqa: E402, F401 (what it imports needs the stand-in)
