"""The component's export. All it consists of is resources, which componentize-py looks for in the module `client`."""

import client  # noqa: F401
