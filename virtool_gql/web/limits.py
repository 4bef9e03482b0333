"""The limits, where the edge looks for them; `virtool_gql.limits` holds them, for the configuration reads them too."""

from virtool_gql.limits import DEFAULT_LIMITS, Limits

__all__ = ["DEFAULT_LIMITS", "Limits"]
