"""A GraphQL API server with subscriptions for virus diagnostics from sequencing reads."""

__version__ = "0.1.0"
