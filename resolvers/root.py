"""The schema: all root fields together."""

import strawberry
from graphql import print_schema
from strawberry.schema.config import StrawberryConfig

from resolvers.account import AccountMutation
from resolvers.audit import AuditQuery, AuditSubscription
from resolvers.changes import ChangeSubscription
from resolvers.files import FileMutation, FileQuery, FileSubscription
from resolvers.genbank import GenBankQuery
from resolvers.groups import GroupMutation, GroupQuery, GroupSubscription
from resolvers.history import HistoryMutation, HistoryQuery, HistorySubscription
from resolvers.indexes import IndexMutation, IndexQuery, IndexSubscription
from resolvers.isolates import IsolateMutation
from resolvers.jobs import JobMutation, JobQuery, JobSubscription
from resolvers.keys import ApiKeyMutation
from resolvers.labels import LabelMutation, LabelQuery, LabelSubscription
from resolvers.messages import MessageMutation, MessageQuery, MessageSubscription
from resolvers.nodes import NodeQuery
from resolvers.otus import OTUMutation, OTUQuery, OTUSubscription
from resolvers.reference_imports import ReferenceImportMutation
from resolvers.reference_members import ReferenceMemberMutation
from resolvers.references import ReferenceMutation, ReferenceQuery, ReferenceSubscription
from resolvers.remote_references import RemoteReferenceMutation
from resolvers.samples import SampleMutation, SampleQuery, SampleSubscription
from resolvers.sequences import SequenceMutation, SequenceQuery, SequenceSubscription
from resolvers.server import ServerQuery
from resolvers.settings import SettingsMutation, SettingsQuery, SettingsSubscription
from resolvers.status import StatusMutation, StatusQuery, StatusSubscription
from resolvers.subtractions import SubtractionQuery, SubtractionSubscription
from resolvers.tasks import TaskQuery, TaskSubscription
from resolvers.users import UserMutation, UserQuery, UserSubscription
from resolvers.viewer import ViewerMutation, ViewerQuery
from schema.audit import AuditEntry
from schema.changes import (
    AuditEntryChange,
    FileChange,
    GroupChange,
    HistoryChange,
    IndexChange,
    InstanceMessageChange,
    JobChange,
    LabelChange,
    OTUChange,
    ReferenceChange,
    SampleChange,
    SequenceChange,
    SettingsChange,
    StatusChange,
    SubtractionChange,
    TaskChange,
    UserChange,
)
from schema.files import File
from schema.groups import Group
from schema.history import HistoryEntry
from schema.indexes import Index
from schema.isolates import Isolate
from schema.jobs import Job
from schema.keys import ApiKey
from schema.labels import Label
from schema.messages import InstanceMessage
from schema.otus import OTU
from schema.references import Reference
from schema.samples import Sample
from schema.scalars import SCALARS
from schema.sequences import Sequence
from schema.status import HMMStatus, Software
from schema.subtractions import Subtraction
from schema.tasks import Task
from schema.users import User


@strawberry.type(description="What can be read.")
class Query(
    ServerQuery,
    SettingsQuery,
    MessageQuery,
    ViewerQuery,
    NodeQuery,
    SampleQuery,
    LabelQuery,
    SubtractionQuery,
    TaskQuery,
    StatusQuery,
    GenBankQuery,
    ReferenceQuery,
    OTUQuery,
    HistoryQuery,
    IndexQuery,
    SequenceQuery,
    FileQuery,
    JobQuery,
    UserQuery,
    GroupQuery,
    AuditQuery,
):
    """What can be read."""


@strawberry.type(description="What can be done. What you can mend comes back in `errors` of the payload.")
class Mutation(
    ViewerMutation,
    AccountMutation,
    UserMutation,
    GroupMutation,
    ApiKeyMutation,
    SampleMutation,
    LabelMutation,
    ReferenceMutation,
    ReferenceImportMutation,
    RemoteReferenceMutation,
    ReferenceMemberMutation,
    OTUMutation,
    HistoryMutation,
    IndexMutation,
    IsolateMutation,
    SequenceMutation,
    FileMutation,
    JobMutation,
    SettingsMutation,
    StatusMutation,
    MessageMutation,
):
    """What can be done."""


@strawberry.type(description="What can be watched.")
class Subscription(
    ChangeSubscription,
    SampleSubscription,
    LabelSubscription,
    SubtractionSubscription,
    TaskSubscription,
    StatusSubscription,
    ReferenceSubscription,
    OTUSubscription,
    HistorySubscription,
    IndexSubscription,
    SequenceSubscription,
    FileSubscription,
    JobSubscription,
    UserSubscription,
    GroupSubscription,
    SettingsSubscription,
    MessageSubscription,
    AuditSubscription,
):
    """What can be watched."""


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[
        *(AuditEntry, AuditEntryChange),
        *(Sample, File, Job, User, Group, ApiKey, InstanceMessage),
        *(Label, LabelChange, Subtraction, SubtractionChange, Task, TaskChange, Reference, ReferenceChange),
        *(HistoryEntry, HistoryChange, Index, IndexChange),
        *(HMMStatus, Software, StatusChange),
        *(OTU, OTUChange, Isolate, Sequence, SequenceChange),
        *(SampleChange, FileChange, JobChange, UserChange, GroupChange, SettingsChange, InstanceMessageChange),
    ],
    config=StrawberryConfig(scalar_map=SCALARS),
)


def sdl() -> str:
    """Write the schema in the schema definition language."""
    return print_schema(schema._schema) + "\n"  # noqa: SLF001 # strawberry's own printer quotes descriptions otherwise
