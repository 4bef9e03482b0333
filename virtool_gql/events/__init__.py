"""From the outbox to the subscriber: relay, stream and hub.

A write puts its change into an outbox; the relay moves changes to one Redis stream, each exactly once; every server
process reads the stream once and its hub hands the changes to the subscriptions.
"""

from virtool_gql.events.entries import STREAM
from virtool_gql.events.hub import Hub
from virtool_gql.events.relay import OUTBOX_CHANNEL, Relay
from virtool_gql.events.subscriptions import Subscription

__all__ = ["OUTBOX_CHANNEL", "STREAM", "Hub", "Relay", "Subscription"]
