"""The component's exports: the functions of the interface `orders`. componentize-py looks for its resources in the module `orders`."""

import vendor
from orders import wit_errors
from wit_world.exports.orders import Order


class Orders:
    """The functions of `orders`."""

    def get_order(self, id: str) -> Order:
        """The order with this id; see the WIT for its errors."""
        with wit_errors():
            return vendor.get_order(id)

    def list_orders(self, limit: int) -> list[Order]:
        """At most `limit` orders from the beginning, over as many pages as the vendor makes of them."""
        orders: list[Order] = []
        listing = vendor.Listing()
        with wit_errors():
            while len(orders) < limit and (page := listing.page(limit - len(orders))):
                orders += page
        return orders[:limit]
