"""References that are installed from releases, and brought to newer ones."""

import msgspec
from msgspec import structs
from redis.asyncio import Redis

from virtool_gql.access import Viewer
from virtool_gql.db import reference_releases
from virtool_gql.db.instance import Instance
from virtool_gql.db.reference_parts import changeable_reference, check_changeable, readable_reference
from virtool_gql.db.references import OFFICIAL_SLUG, NewReference, References
from virtool_gql.db.release_sources import NotPublished, Refused
from virtool_gql.db.releases import compared, update_to
from virtool_gql.db.retries import retried
from virtool_gql.db.tasks import Tasks
from virtool_gql.db.updates import check_version
from virtool_gql.errors import BadUserInput, Conflict, UpstreamUnavailable
from virtool_gql.models.references import Reference, Release, RemotesFrom, Right
from virtool_gql.models.tasks import RemoteReference, Task, TaskType
from virtool_gql.models.users import Permission
from virtool_gql.stores.redis import RateLimit

NAME = "Plant Viruses"
DESCRIPTION = "The official plant virus reference from the Virtool developers"
ASKED_PER_MINUTE = 10
"""How often one user may have others asked: GitHub answers all users of an instance together some times in an hour."""

NO_TARGET = "Target release does not exist"


class NewRemote(msgspec.Struct, frozen=True, kw_only=True):
    """What is installed: a release of a repository, the latest one unless it is named."""

    slug: str = OFFICIAL_SLUG
    release_id: str | None = None
    name: str | None = None
    description: str | None = None


class RemoteReferences:
    """Installs references from releases, asks for newer ones, and installs these."""

    def __init__(self, instance: Instance, references: References, tasks: Tasks, redis: Redis) -> None:
        self._instance = instance
        self._asking = RateLimit(redis, "releases", ASKED_PER_MINUTE, 60)
        self._store = instance.store
        self._references = references
        self._tasks = tasks

    async def install(
        self, viewer: Viewer, new: NewRemote, *, idempotency_key: str | None = None
    ) -> tuple[Reference, Task]:
        """Make a reference, and the task that fills it from a release."""
        viewer.require(Permission.CREATE_REF)
        earlier = await self._references.made_with(viewer, idempotency_key)
        if earlier is not None:
            return earlier
        release = compared(await self._release(viewer, new), None)
        if release is None:
            raise _no_release(new)
        update = update_to(release, viewer.user_id, self._instance.clock())
        draft = NewReference(
            name=NAME if new.name is None else new.name,
            description=DESCRIPTION if new.description is None else new.description,
            remotes_from=RemotesFrom(slug=new.slug),
            release=release,
            updates=(update,),
            updating=True,
        )
        return await self._references.make(
            viewer,
            draft,
            TaskType.REMOTE_REFERENCE,
            lambda made_id: RemoteReference(reference_id=made_id, release=release),
            idempotency_key=idempotency_key,
        )

    async def _release(self, viewer: Viewer, new: NewRemote) -> Release | None:
        if new.slug not in self._instance.outside.config.reference_slugs:
            raise BadUserInput(f"References cannot be installed from “{new.slug[:80]}”.", path=["slug"])
        await self._asking.take(viewer.user_id)
        source = self._instance.outside.references
        try:
            if new.release_id is None:
                return await source.latest(new.slug)
            return await source.release(new.slug, new.release_id)
        except NotPublished as error:
            raise _no_release(new) from error
        except Refused as error:
            raise UpstreamUnavailable("Could not retrieve latest GitHub release") from error

    async def check(self, viewer: Viewer, id: str) -> Reference:
        """Ask for the latest release of a reference now; whoever may read it may."""
        reference = await readable_reference(self._store, viewer, id)
        check_changeable(reference)
        _check_remote(reference)
        await self._asking.take(viewer.user_id)
        try:
            await reference_releases.look(self._instance, reference)
        except NotPublished as error:
            raise UpstreamUnavailable("Release repository does not exist on GitHub") from error
        return await readable_reference(self._store, viewer, id)

    async def update(self, viewer: Viewer, id: str, *, expected_version: int | None = None) -> tuple[Reference, Task]:
        """Have the latest known release installed in the background, with the right MODIFY."""
        made = await retried(lambda: self._update(viewer, id, expected_version))
        await self._tasks.wake()
        return made

    async def _update(self, viewer: Viewer, id: str, expected_version: int | None) -> tuple[Reference, Task]:
        reference = await changeable_reference(self._store, viewer, id, Right.MODIFY)
        check_version(reference, expected_version, "reference")
        release = _target(reference)
        at = self._instance.clock()
        args = RemoteReference(reference_id=id, release=release)
        task = self._tasks.new(
            TaskType.UPDATE_REMOTE_REFERENCE, args, user_id=viewer.user_id, reference_id=reference.id
        )
        updates = (*reference.updates, update_to(release, viewer.user_id, at))
        begun = structs.replace(reference, updating=True, updates=updates, task_id=task.id, updated_at=at)
        async with self._store.transaction() as documents:
            reference = (await documents.replace(begun))[0]
            return reference, (await documents.insert(task))[0]


def _check_remote(reference: Reference) -> None:
    if reference.remotes_from is None:
        raise BadUserInput("Not a remote reference", path=["id"])


def _target(reference: Reference) -> Release:
    """Give the release that a reference can be brought to."""
    _check_remote(reference)
    release = compared(reference.release, reference.installed)
    if release is None:
        raise BadUserInput(NO_TARGET, path=["id"])
    if reference.updating:
        raise Conflict(f"The reference “{reference.name}” is being updated; wait until its task is complete.")
    if not release.newer:
        raise Conflict(f"The latest release, {release.name}, is not newer than what is installed.")
    return release


def _no_release(new: NewRemote) -> BadUserInput | UpstreamUnavailable:
    if new.release_id is None:
        return UpstreamUnavailable("Could not retrieve latest GitHub release")
    return BadUserInput(NO_TARGET, path=["release_id"])
