"""A live server with the people and documents of the matrix, and fresh ones for whatever destroys them."""

import itertools
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx
from msgspec import structs

from tests.access.references import show_references
from tests.access.rules import READS_JOB, READS_REFERENCE, READS_SAMPLE, Role
from tests.factories.outside import World as Outside
from virtool_gql.db.database import Database
from virtool_gql.db.keys import new_secret
from virtool_gql.db.names import comparable
from virtool_gql.db.passwords import Passwords
from virtool_gql.models.audit import AuditEntry, Deed
from virtool_gql.models.documents import Document, Timestamp, new_id, now
from virtool_gql.models.files import File, FileType
from virtool_gql.models.jobs import Job, JobError, JobState, JobStatus
from virtool_gql.models.labels import Label
from virtool_gql.models.references import Reference
from virtool_gql.models.samples import Quality, Reads, Sample
from virtool_gql.models.settings import InstanceMessage, MessageColor, Settings
from virtool_gql.models.subtractions import NucleotideComposition, Subtraction
from virtool_gql.models.users import ApiKey, Group, Permission, User
from virtool_gql.query import Eq, Page
from virtool_gql.stores.digests import digest
from virtool_gql.workflows import Workflow

D = TypeVar("D", bound=Document)

PASSWORD = "a password that is long"
ADDRESS = "127.0.0.1"
SEQUENCES = b"@read\nACGT\n+\nIIII\n"
PREFLIGHT = {"x-graphql-preflight": "1"}
PERMISSIONS: dict[Role, tuple[Permission, ...]] = {
    Role.OWNER: (Permission.CREATE_SAMPLE, Permission.CREATE_REF, Permission.UPLOAD_FILE),
    Role.KEY: (Permission.CREATE_SAMPLE, Permission.CREATE_REF, Permission.UPLOAD_FILE),
    Role.ENTITLED: tuple(Permission),
}
UNSEEN, UNHEARD = "Unseen", "Unheard"
"""Words that only hidden samples and references, and only other people's jobs, have.

Whoever may not read those never meets them; who may read the samples may read the references.
"""

CANARIES = {UNSEEN: READS_SAMPLE, UNHEARD: READS_JOB}
assert READS_SAMPLE.answers == READS_REFERENCE.answers
ADMINISTRATORS = (Role.ADMINISTRATOR, Role.PLAIN_KEY, Role.DEACTIVATED)
MEMBERS = (Role.READER, Role.WRITER)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who asks, and the headers by which they do."""

    role: Role
    user_id: str
    handle: str
    headers: dict[str, str]
    key_id: str = ""

    @property
    def owns(self) -> bool:
        return self.role in {Role.OWNER, Role.KEY}

    def check(self, told: str, asked: str = "") -> None:
        """Fail when something tells what only others may read, and the person did not say it first."""
        for word, rule in CANARIES.items():
            assert rule[self.role] == "yes" or word not in told or word in asked, f"{self.role} is told: {told}"


class World:
    """The server, and what is on it. `standing` people and `shown` documents stay as they are."""

    hidden: Reference
    """A reference of the owner's, to which things come and from which they go."""

    def __init__(self, url: str, db: Database, outside: Outside) -> None:
        self.url = url
        self.db = db
        self.outside = outside
        jar = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
        self.client = httpx.AsyncClient(base_url=url, timeout=60, cookies=jar)
        self.numbers = itertools.count(1)
        self.groups: dict[str, Group] = {}
        self.standing: dict[Role, Person] = {}
        self.shown: dict[str, str] = {}
        self.read_by: dict[str, Reference] = {}
        """References that somebody may read, by the ids of their users."""

    def word_of(self, reference: Reference) -> str:
        """Give the word that tells whether what is in a reference is hidden."""
        return reference.name.partition(" ")[0]

    async def ask(self, person: Person | None, query: str, **variables: Any) -> dict[str, Any]:
        """Ask over HTTP; give the whole answer."""
        headers = {**(person.headers if person else {}), "x-request-id": "matrix"}
        answer = await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        if person:
            person.check(answer.text, query + repr(variables))
        return dict(answer.json())

    async def done(self, person: Person | None, query: str, **variables: Any) -> dict[str, Any]:
        """Ask for what must work; give its data."""
        answer = await self.ask(person, query, **variables)
        assert "errors" not in answer, answer
        return dict(answer["data"])

    # People

    async def settle(self) -> None:
        """Make the people and the documents that stay."""
        first = "mutation($i: CreateFirstUserInput!) { createFirstUser(input: $i) { errors { message } } }"
        await self.done(None, first, i={"handle": "first", "password": PASSWORD})
        self.password_hash = await Passwords(4).hash(PASSWORD)
        for name, permissions in {
            "Diagnostics": (),
            "Makers": PERMISSIONS[Role.OWNER],
            "Keepers": PERMISSIONS[Role.ENTITLED],
        }.items():
            self.groups[name] = await self.group(name, permissions)
        for role in Role:
            owner = self.standing[Role.OWNER].user_id if role is Role.KEY else ""
            self.standing[role] = await self.person(role, owner)
        await self._show()

    async def person(self, role: Role, user_id: str = "") -> Person:
        """Make somebody of a role, with a session or a key of their own; a new user if no other is named."""
        user = await self.kept(User, user_id) if user_id else await self.user(role)
        if role is Role.ANONYMOUS:
            return Person(role, user.id, user.handle, {})
        if role in {Role.KEY, Role.PLAIN_KEY}:
            await self.session(user.handle)
            key, headers = await self.key(user)
            return Person(role, user.id, user.handle, headers, key.id)
        headers = await self.session(user.handle)
        if role is Role.DEACTIVATED:
            await self.changed(User, user.id, active=False)
        return Person(role, user.id, user.handle, headers)

    async def user(self, role: Role, **values: Any) -> User:
        number = next(self.numbers)
        handle = f"{role.value.replace(' ', '_')}_{number}"
        names = ["Diagnostics"] * (role in MEMBERS) + ["Makers"] * (role in {Role.OWNER, Role.KEY})
        names += ["Keepers"] * (role is Role.ENTITLED)
        made: dict[str, Any] = {
            "id": new_id(),
            "handle": handle,
            "handle_key": comparable(handle),
            "password_hash": self.password_hash,
            "administrator": role in ADMINISTRATORS,
            "group_ids": tuple(self.groups[name].id for name in names),
            "email": f"{handle}@example.org",
            "created_at": now(),
            "last_password_change": now(),
        }
        return await self.insert(User(**made | values))

    async def session(self, handle: str) -> dict[str, str]:
        """Sign in, as a browser would; give the headers of requests from then on."""
        mutation = "mutation($i: LoginInput!) { login(input: $i) { errors { message } } }"
        variables = {"i": {"handle": handle, "password": PASSWORD}}
        answer = await self.client.post("/graphql", json={"query": mutation, "variables": variables})
        assert answer.json()["data"]["login"] == {"errors": []}, answer.text
        return {"cookie": answer.headers["set-cookie"].partition(";")[0], **PREFLIGHT}

    async def key(self, user: User, **values: Any) -> tuple[ApiKey, dict[str, str]]:
        secret = new_secret()
        made: dict[str, Any] = {
            "id": new_id(),
            "name": "A key",
            "key_hash": digest(secret),
            "user_id": user.id,
            "credentials_version": user.credentials_version,
            "created_at": now(),
            "last_used_at": now(),
        }
        key = await self.insert(ApiKey(**made | values))
        return key, {"authorization": f"Bearer {secret}"}

    # Documents

    async def insert(self, document: D) -> D:
        return (await self.db.store.insert(document))[0]

    async def kept(self, kind: type[D], id: str) -> D:
        document = await self.db.store.get(kind, id)
        assert document is not None
        return document

    async def changed(self, kind: type[D], id: str, **values: Any) -> D:
        return (await self.db.store.replace(structs.replace(await self.kept(kind, id), **values)))[0]

    async def removed(self, kind: type[D], id: str) -> None:
        await self.db.store.delete(await self.kept(kind, id))

    async def group(self, name: str = "", permissions: tuple[Permission, ...] = ()) -> Group:
        name = name or f"Group {next(self.numbers)}"
        return await self.insert(
            Group(
                id=new_id(),
                name=name,
                name_key=comparable(name),
                permissions=tuple(sorted(permissions)),
                created_at=now(),
            )
        )

    async def sample(self, owner_id: str = "", **values: Any) -> Sample:
        """Make a sample that only its group may read."""
        word = "Seen" if values.get("all_read") else UNSEEN
        name, at = f"{word} {next(self.numbers)}", now()
        made: dict[str, Any] = {
            "id": new_id(),
            "name": name,
            "unique_key": name.lower(),
            "notes": word,
            "user_id": owner_id or self.standing[Role.OWNER].user_id,
            "group_id": self.groups["Diagnostics"].id,
            "group_read": True,
            "all_read": False,
            "created_at": at,
            "updated_at": at,
        }
        return await self.insert(Sample(**made | values))

    async def file(self, **values: Any) -> File:
        made: dict[str, Any] = {
            "id": new_id(),
            "name": f"reads_{next(self.numbers)}.fq",
            "type": FileType.READS,
            "user_id": self.standing[Role.OWNER].user_id,
            "size": len(SEQUENCES),
            "ready": True,
            "created_at": now(),
            "uploaded_at": now(),
            "expires_at": Timestamp("2999-01-01T00:00:00.000Z"),
        }
        file = File(**made | values)
        self.db.places.file(file.id).write_bytes(SEQUENCES)
        return await self.insert(file)

    async def job(self, owner_id: str = "", **values: Any) -> Job:
        at = now()
        made: dict[str, Any] = {
            "id": new_id(),
            "workflow": Workflow.CREATE_SAMPLE,
            "args": {"sample_id": new_id(), "file_ids": [], "of": "Own" if owner_id else UNHEARD},
            "user_id": owner_id or self.standing[Role.OWNER].user_id,
            "proc": 1,
            "mem": 2,
            "status": (JobStatus(state=JobState.WAITING, stage="reads", progress=0.5, at=at),),
            "created_at": at,
        }
        return await self.insert(Job(**made | values))

    async def label(self, **values: Any) -> Label:
        name = f"Label {next(self.numbers)}"
        made: dict[str, Any] = {
            "id": new_id(),
            "name": name,
            "name_key": comparable(name),
            "description": "What it says",
            "user_id": self.standing[Role.OWNER].user_id,
            "created_at": now(),
        }
        return await self.insert(Label(**made | values))

    async def subtraction(self, **values: Any) -> Subtraction:
        made: dict[str, Any] = {
            "id": new_id(),
            "name": f"Subtraction {next(self.numbers)}",
            "nickname": "host",
            "file_id": self.shown.get("file", "file_x").partition("_")[2],
            "file_name": "host.fa",
            "user_id": self.standing[Role.OWNER].user_id,
            "count": 3,
            "gc": NucleotideComposition(a=0.2, t=0.2, g=0.2, c=0.2, n=0.2),
            "ready": True,
            "created_at": now(),
        }
        return await self.insert(Subtraction(**made | values))

    async def message(self, *, active: bool) -> InstanceMessage:
        made = InstanceMessage(
            id=new_id(),
            message="Maintenance tonight",
            color=MessageColor.RED,
            active=active,
            active_key="active" if active else None,
            user_id=self.standing[Role.ADMINISTRATOR].user_id,
            created_at=now(),
            updated_at=now(),
        )
        return await self.insert(made)

    async def audit_entry(self) -> AuditEntry:
        made = AuditEntry(
            id=new_id(),
            at=now(),
            user_id=self.standing[Role.OWNER].user_id,
            handle="somebody",
            key_id="k",
            address="192.0.2.1",
            request_id="r",
            action="updateSample",
            deed=Deed.UPDATE,
            collection="samples",
            document_id="s",
            fields=("name",),
        )
        return await self.insert(made)

    async def settings(self) -> Settings:
        """Change the settings, of which there is one document."""
        return await self.changed(Settings, "settings", hmm_slug=f"virtool/hmm-{next(self.numbers)}")

    async def show_message(self) -> None:
        """See that a message is shown to everybody."""
        found = await self.db.store.find(InstanceMessage, Eq("active_key", "active"), page=Page(first=1))
        message = found.documents[0] if found.documents else await self.message(active=True)
        self.shown["message"] = f"message_{message.id}"

    async def _show(self) -> None:
        """Make the documents that stay, each with a value in every field."""
        owner = self.standing[Role.OWNER]
        await self.changed(User, owner.user_id, primary_group_id=self.groups["Makers"].id, force_reset=False)
        file = await self.file()
        self.shown["file"] = f"file_{file.id}"
        job = await self._failed_job()
        label, subtraction = await self.label(), await self.subtraction(job_id=job.id)
        sample = await self._full_sample(file, job, label, subtraction)
        key, _ = await self.key(await self.kept(User, owner.user_id))
        self.shown |= {
            "sample": f"sample_{sample.id}",
            "job": f"job_{job.id}",
            "user": f"user_{owner.user_id}",
            "group": f"group_{self.groups['Makers'].id}",
            "key": f"key_{key.id}",
            "label": f"label_{label.id}",
            "subtraction": f"subtraction_{subtraction.id}",
            "audit": f"audit_{(await self.audit_entry()).id}",
        }
        await self.show_message()
        settings = 'mutation { updateSettings(input: { hmmSlug: "virtool/hmm" }) { errors { message } } }'
        assert await self.done(self.standing[Role.ADMINISTRATOR], settings) == {"updateSettings": {"errors": []}}
        await self.file(reserved_by=sample.id)
        await show_references(self)

    async def _failed_job(self) -> Job:
        error = JobError(type="Tool", message=UNHEARD, details=(UNHEARD,), traceback=("line 1",))
        job = await self.job(state=JobState.ERROR, error=error, stage="reads", progress=0.5)
        self.db.places.job_log(job.id).write_text(f"{now()} {UNHEARD}\n{now()} another\n")
        return job

    async def _full_sample(self, file: File, job: Job, label: Label, subtraction: Subtraction) -> Sample:
        quality = Quality(
            count=1, encoding="Sanger", length=(4, 4), gc=50.0, bases=((1.0,),), composition=((1.0,),), sequences=(1,)
        )
        reads = Reads(name="reads_1.fq.gz", size=len(SEQUENCES), file_id=file.id, file_name=file.name)
        sample = await self.sample(
            host=f"{UNSEEN} host",
            isolate=f"{UNSEEN} isolate",
            locale=f"{UNSEEN} place",
            label_ids=(label.id,),
            subtraction_ids=(subtraction.id,),
            file_ids=(file.id,),
            ready=True,
            quality=quality,
            reads=(reads,),
            job_id=job.id,
        )
        self.db.places.sample(sample.id).mkdir(parents=True)
        self.db.places.reads(sample.id, 1).write_bytes(SEQUENCES)
        return sample
