"""The component's export: `ringfence:sqlite/database`. componentize-py looks for its resources in the module `database`."""

import sqlite3


class Database:
    """The functions of the interface."""

    def version(self) -> str:
        """SQLite's own."""
        return sqlite3.sqlite_version
