"""What the parts of the GraphQL edge share."""

from dataclasses import dataclass

from virtool_gql.limits import Limits
from virtool_gql.web.cohorts import Cohorts
from virtool_gql.web.identity import Identifier
from virtool_gql.web.operations import Operations
from virtool_gql.web.presence import Presence


@dataclass(frozen=True, slots=True)
class Edge:
    """The edge of one process. `origins` are the pages of other hosts that may use sessions."""

    operations: Operations
    cohorts: Cohorts
    presence: Presence
    identifier: Identifier
    limits: Limits
    origins: frozenset[str]
    secure_cookies: bool = False


def make_edge(
    operations: Operations,
    identifier: Identifier,
    limits: Limits,
    origins: frozenset[str] = frozenset(),
    *,
    secure_cookies: bool = False,
) -> Edge:
    cohorts = Cohorts(operations)
    presence = Presence(identifier, cohorts, limits.recheck_seconds)
    return Edge(operations, cohorts, presence, identifier, limits, origins, secure_cookies)
