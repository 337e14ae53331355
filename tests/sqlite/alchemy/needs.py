"""What SQLAlchemy's suite is told of SQLite."""

from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements


class Requirements(SuiteRequirements):
    """A database in memory is one connection's own; a part of a UNION stands in no parentheses."""

    independent_connections = exclusions.closed()
    parens_in_union_selects_w_limit_offset = exclusions.closed()
    parens_in_union_selects_wo_limit_offset = exclusions.closed()
