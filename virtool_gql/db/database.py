"""All wrappers of one instance, on its stores."""

from collections.abc import AsyncGenerator, Collection, Mapping

from redis.asyncio import Redis

from virtool_gql.access import (
    as_told,
    readable_audit,
    readable_files,
    readable_groups,
    readable_jobs,
    readable_keys,
    readable_labels,
    readable_messages,
    readable_parts,
    readable_references,
    readable_samples,
    readable_settings,
    readable_status,
    readable_subtractions,
    readable_tasks,
    readable_users,
)
from virtool_gql.db.account import Account
from virtool_gql.db.audit import Audit
from virtool_gql.db.credentials import Credentials
from virtool_gql.db.fasta import Fastas
from virtool_gql.db.files import Files
from virtool_gql.db.genbank import GenBank
from virtool_gql.db.groups import Groups
from virtool_gql.db.history import Histories
from virtool_gql.db.indexes import Indexes
from virtool_gql.db.instance import Instance
from virtool_gql.db.isolates import Isolates
from virtool_gql.db.jobs import JobLimits, Jobs
from virtool_gql.db.keys import ApiKeys
from virtool_gql.db.labels import Labels
from virtool_gql.db.listing import CallerViewer, Readable, Visibility, visible_changes
from virtool_gql.db.messages import Messages
from virtool_gql.db.otus import OTUs
from virtool_gql.db.outside import Outside
from virtool_gql.db.passwords import NewPasswords, Passwords
from virtool_gql.db.reference_clones import ReferenceClones
from virtool_gql.db.reference_counts import ReferenceCounts
from virtool_gql.db.reference_exports import ReferenceExports
from virtool_gql.db.reference_imports import ReferenceImports
from virtool_gql.db.reference_members import ReferenceMembers
from virtool_gql.db.references import References
from virtool_gql.db.remote_references import RemoteReferences
from virtool_gql.db.resets import Resets
from virtool_gql.db.sample_labels import SampleLabels
from virtool_gql.db.samples import Samples
from virtool_gql.db.sequences import Sequences
from virtool_gql.db.settings import SettingsWrapper
from virtool_gql.db.sign_in import LOGINS_A_MINUTE, SignIn
from virtool_gql.db.statuses import Statuses
from virtool_gql.db.subtractions import Subtractions
from virtool_gql.db.sweeps import Sweeps
from virtool_gql.db.task_runs import TaskRuns
from virtool_gql.db.tasks import Tasks
from virtool_gql.db.users import Users
from virtool_gql.errors import BadUserInput
from virtool_gql.events import Hub
from virtool_gql.files import Places
from virtool_gql.models.audit import AuditEntry
from virtool_gql.models.changes import Change
from virtool_gql.models.documents import Clock, Document, NewId, new_id, now
from virtool_gql.models.files import File
from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.indexes import Index
from virtool_gql.models.jobs import Job
from virtool_gql.models.labels import Label
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.references import Reference
from virtool_gql.models.samples import Sample
from virtool_gql.models.settings import InstanceMessage, Settings
from virtool_gql.models.status import Status
from virtool_gql.models.subtractions import Subtraction
from virtool_gql.models.tasks import Task
from virtool_gql.models.users import ApiKey, Group, User
from virtool_gql.stores.audited import AuditedStore
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.redis import JobQueues, RateLimit, Signals
from virtool_gql.stores.reset_codes import ResetCodes
from virtool_gql.stores.sessions import Sessions

READABLE: Mapping[type[Document], Readable] = {
    ApiKey: readable_keys,
    AuditEntry: readable_audit,
    File: readable_files,
    Group: readable_groups,
    InstanceMessage: readable_messages,
    Job: readable_jobs,
    Label: readable_labels,
    HistoryEntry: as_told(readable_parts),
    Index: as_told(readable_parts),
    OTU: as_told(readable_parts),
    Reference: readable_references,
    Sample: readable_samples,
    Sequence: as_told(readable_parts),
    Settings: readable_settings,
    Status: readable_status,
    Subtraction: readable_subtractions,
    Task: as_told(readable_tasks),
    User: readable_users,
}
"""Who may read what, for each collection whose changes are told."""


class Database:
    """All wrappers; the one thing that resolvers, the web edge, jobs and tasks are given."""

    def __init__(  # noqa: PLR0913 - all parts of an instance meet here
        self,
        store: Documents,
        redis: Redis,
        hub: Hub,
        places: Places,
        *,
        job_limits: JobLimits,
        clock: Clock = now,
        new_id: NewId = new_id,
        bcrypt_rounds: int = 12,
        logins_per_minute: int = LOGINS_A_MINUTE,
        outside: Outside | None = None,
    ) -> None:
        self.store = store = AuditedStore(store, clock, new_id)
        self.hub = hub
        self.places = places
        self.queues = JobQueues(redis)
        self.signals = Signals(redis)
        instance = self.instance = Instance(
            store, hub, places, self.queues, self.signals, clock, new_id, outside or Outside()
        )
        passwords = Passwords(bcrypt_rounds)
        self.audit = Audit(instance)
        self.settings = SettingsWrapper(instance)
        self.messages = Messages(instance)
        self.credentials = credentials = Credentials(store, Sessions(redis, clock), ResetCodes(redis))
        new_passwords = NewPasswords(self.settings, passwords)
        self.users = Users(instance, new_passwords, credentials)
        self.groups = Groups(instance)
        self.keys = ApiKeys(instance)
        logins, changes, resets = (
            RateLimit(redis, name, logins_per_minute, 60) for name in ("login", "password", "reset")
        )
        self.sign_in = SignIn(instance, self.users, passwords, credentials, logins)
        self.account = Account(instance, new_passwords, credentials, changes)
        self.resets = Resets(instance, new_passwords, credentials, self.sign_in, resets)
        self.files = Files(instance)
        self.jobs = Jobs(instance, job_limits)
        self.samples = Samples(instance, self.settings, self.jobs)
        self.labels = Labels(instance)
        self.sample_labels = SampleLabels(instance)
        self.subtractions = Subtractions(instance)
        self.tasks = Tasks(instance)
        self.task_runs = TaskRuns(store, clock=clock, new_id=new_id)
        self.references = References(instance, self.settings, self.tasks)
        self.reference_clones = ReferenceClones(instance, self.references)
        self.reference_exports = ReferenceExports(instance)
        self.reference_imports = ReferenceImports(instance, self.references)
        self.remote_references = RemoteReferences(instance, self.references, self.tasks, redis)
        self.statuses = Statuses(instance)
        self.genbank = GenBank(instance.outside, redis)
        self.reference_counts = ReferenceCounts(instance)
        self.reference_users = ReferenceMembers(instance, User)
        self.reference_groups = ReferenceMembers(instance, Group)
        self.otus = OTUs(instance)
        self.history = Histories(instance)
        self.indexes = Indexes(instance, self.jobs)
        self.isolates = Isolates(instance, self.otus)
        self.sequences = Sequences(instance)
        self.fastas = Fastas(self.otus, self.isolates, self.sequences)
        self.sweeps = Sweeps(instance)

    def changes(
        self,
        caller_viewer: CallerViewer,
        collections: Collection[str] | None = None,
        after: str | None = None,
    ) -> AsyncGenerator[Change, None]:
        """Give the changes of several collections (of all, when None), each by the rights of its own."""
        told = {kind.kept.name: kind for kind in READABLE}
        names = frozenset(told if collections is None else collections)
        unknown = names - told.keys()
        if unknown:
            raise BadUserInput(f"Collections do not exist: {', '.join(sorted(unknown))}.", path=["collections"])
        visibility = Visibility(self.instance, {told[name]: READABLE[told[name]] for name in names})
        return visible_changes(self.hub, visibility, caller_viewer, after)
