"""How a request to the vendor can fail: one class for each case of WIT's `order-error`.

    VendorError
    ├── NotFound
    ├── Unavailable
    └── BadReply

Messages are for people. They name addresses, never the token and nothing of a body.
"""


class VendorError(Exception):
    """Base of all three."""


class NotFound(VendorError):
    """The vendor answered 404."""


class Unavailable(VendorError):
    """No answer came that could be judged: no address, no connection, a broken one, or a 5xx."""


class BadReply(VendorError):
    """The vendor answered something this client does not understand, or refuses to follow."""
