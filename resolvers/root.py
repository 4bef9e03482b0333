"""The schema: all root fields together."""

import strawberry
from graphql import print_schema
from strawberry.schema.config import StrawberryConfig

from resolvers.changes import ChangeSubscription
from resolvers.files import FileMutation, FileQuery, FileSubscription
from resolvers.groups import GroupQuery, GroupSubscription
from resolvers.jobs import JobMutation, JobQuery, JobSubscription
from resolvers.keys import ApiKeyMutation
from resolvers.nodes import NodeQuery
from resolvers.samples import SampleMutation, SampleQuery, SampleSubscription
from resolvers.server import ServerQuery
from resolvers.users import UserQuery, UserSubscription
from resolvers.viewer import ViewerMutation, ViewerQuery
from schema.changes import FileChange, GroupChange, JobChange, SampleChange, UserChange
from schema.files import File
from schema.groups import Group
from schema.jobs import Job
from schema.keys import ApiKey
from schema.samples import Sample
from schema.scalars import SCALARS
from schema.users import User


@strawberry.type(description="What can be read.")
class Query(ServerQuery, ViewerQuery, NodeQuery, SampleQuery, FileQuery, JobQuery, UserQuery, GroupQuery):
    """What can be read."""


@strawberry.type(description="What can be done. What you can mend comes back in `errors` of the payload.")
class Mutation(ViewerMutation, ApiKeyMutation, SampleMutation, FileMutation, JobMutation):
    """What can be done."""


@strawberry.type(description="What can be watched.")
class Subscription(
    ChangeSubscription, SampleSubscription, FileSubscription, JobSubscription, UserSubscription, GroupSubscription
):
    """What can be watched."""


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[
        *(Sample, File, Job, User, Group, ApiKey),
        *(SampleChange, FileChange, JobChange, UserChange, GroupChange),
    ],
    config=StrawberryConfig(scalar_map=SCALARS),
)


def sdl() -> str:
    """Write the schema in the schema definition language."""
    return print_schema(schema._schema) + "\n"  # noqa: SLF001 # strawberry's own printer quotes descriptions otherwise
