"""The one outgoing HTTP client: all that the server asks of others goes through it."""

from virtool_gql.http.answers import Answer
from virtool_gql.http.client import Client, TooLarge
from virtool_gql.http.downloads import download
from virtool_gql.http.pauses import BRIEF, PATIENT, STEADY, Patience

__all__ = ["BRIEF", "PATIENT", "STEADY", "Answer", "Client", "Patience", "TooLarge", "download"]
