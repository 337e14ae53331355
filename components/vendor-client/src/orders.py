"""The resources of the interface `orders`, in the module where componentize-py looks for them, and the errors of all its functions."""

from collections.abc import Iterator
from contextlib import contextmanager

import vendor
from componentize_py_types import Err
from errors import BadReply, NotFound, Unavailable
from wit_world.exports.orders import Order, OrderError_BadReply, OrderError_NotFound, OrderError_Unavailable


class Cursor:
    """The resource `cursor`: where in the list of orders its holder is."""

    def __init__(self, page: int) -> None:
        self._page = max(page, 1)
        self._listing = vendor.Listing()

    def next(self) -> list[Order]:
        """The next page, empty at the end."""
        with wit_errors():
            return self._listing.page(self._page)


@contextmanager
def wit_errors() -> Iterator[None]:
    """Turns this client's exceptions into the error case of the WIT result."""
    try:
        yield
    except NotFound:
        raise Err(OrderError_NotFound()) from None
    except Unavailable as error:
        raise Err(OrderError_Unavailable(str(error))) from None
    except BadReply as error:
        raise Err(OrderError_BadReply(str(error))) from None
