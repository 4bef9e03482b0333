"""References: their creation, what is known of them, and who may see and change them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from msgspec import structs

from virtool_gql.access import Viewer, readable_references, require_right
from virtool_gql.db.creation import Turns, created_by, created_once, creation_key, once
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.db.reference_controls import control_of, without_deleted_control
from virtool_gql.db.reference_inputs import NewReference, ReferenceChanges, cleaned
from virtool_gql.db.reference_parts import check_changeable
from virtool_gql.db.retries import retried
from virtool_gql.db.settings import SettingsWrapper
from virtool_gql.db.tasks import Tasks
from virtool_gql.db.updates import check_version, to_values, with_values
from virtool_gql.errors import Conflict
from virtool_gql.models.references import DataType, Member, Reference, Right
from virtool_gql.models.tasks import DeleteReference, Task, TaskState, TaskType
from virtool_gql.models.users import Permission
from virtool_gql.query import And, Eq, In
from virtool_gql.stores.documents import Documents, first_of, modify

__all__ = ["NewReference", "ReferenceChanges", "References"]

MOST_OUTSTANDING = 20
"""How many tasks of one user may wait or run when another reference is to be made by one."""

OUTSTANDING = (TaskState.WAITING, TaskState.RUNNING)

OFFICIAL_SLUG = "virtool/ref-plant-viruses"

ArgsOf = Callable[[str], msgspec.Struct]
"""Gives the arguments of the task that fills the reference of an id."""

Also = Callable[[Documents, Reference], Awaitable[object]]
"""Does in the transaction of a new reference what else belongs to it."""


class References(Listing[Reference]):
    """The references that a viewer has made or is a member of; what they may do with one its members say."""

    noun = "reference"

    def __init__(self, instance: Instance, settings: SettingsWrapper, tasks: Tasks) -> None:
        super().__init__(instance, Reference, readable_references)
        self._settings = settings
        self._tasks = tasks
        self._turns = Turns()

    async def official_installed(self) -> bool:
        """Tell whether somebody has installed the official reference, whoever may read it."""
        return await first_of(self.store, Reference, Eq("remotes_from.slug", OFFICIAL_SLUG)) is not None

    async def create(self, viewer: Viewer, new: NewReference, *, idempotency_key: str | None = None) -> Reference:
        """Make an empty reference, on which its creator has all rights."""
        viewer.require(Permission.CREATE_REF)
        key = creation_key(viewer, idempotency_key)
        return await created_once(self.store, Reference, key, lambda: self._create(viewer, new, key))

    async def _create(self, viewer: Viewer, new: NewReference, key: str | None) -> Reference:
        return (await self.store.insert(await self._draft(viewer, new, key)))[0]

    async def make(  # noqa: PLR0913 - a reference, and the task that fills it
        self,
        viewer: Viewer,
        new: NewReference,
        type: TaskType,
        args_of: ArgsOf,
        *,
        idempotency_key: str | None = None,
        also: Also | None = None,
    ) -> tuple[Reference, Task]:
        """Make a reference that is not ready, and the task that fills it, in one transaction.

        `also` does more in that transaction, before anything else. The same user's same idempotency key gives the same
        reference and task again.
        """
        viewer.require(Permission.CREATE_REF)
        key = creation_key(viewer, idempotency_key)

        async def make() -> tuple[Reference, Task]:
            await self._check_outstanding(viewer)
            return await retried(lambda: self._make(viewer, new, type, args_of, key, also))

        async with self._turns.of(key):  # a store without transactions shows the reference before its task is there
            reference, task = await once(lambda: self._made_by(key), make)
        await self._tasks.wake()
        return reference, task

    async def _check_outstanding(self, viewer: Viewer) -> None:
        """Keep one user from filling the queue in which all others wait."""
        outstanding = And(Eq("user_id", viewer.user_id), In("state", OUTSTANDING))
        if await self.store.count(Task, outstanding) >= MOST_OUTSTANDING:
            raise Conflict(f"{MOST_OUTSTANDING} of your tasks are not done yet; wait until one of them is.")

    async def made_with(self, viewer: Viewer, idempotency_key: str | None) -> tuple[Reference, Task] | None:
        """Give what the viewer has made with the key, before anything is asked that may no longer hold."""
        key = creation_key(viewer, idempotency_key)
        async with self._turns.of(key):
            return await self._made_by(key)

    async def _make(  # noqa: PLR0913, PLR0917 - as `make`
        self, viewer: Viewer, new: NewReference, type: TaskType, args_of: ArgsOf, key: str | None, also: Also | None
    ) -> tuple[Reference, Task]:
        draft = await self._draft(viewer, new, key)
        task = self._tasks.new(type, args_of(draft.id), user_id=viewer.user_id, reference_id=draft.id)
        async with self.store.transaction() as documents:
            if also is not None:
                await also(documents, draft)
            reference = (await documents.insert(structs.replace(draft, ready=False, task_id=task.id)))[0]
            return reference, (await documents.insert(task))[0]

    async def _made_by(self, key: str | None) -> tuple[Reference, Task] | None:
        reference = await created_by(self.store, Reference, key)
        if reference is None:
            return None
        task = await self.store.get(Task, reference.task_id) if reference.task_id else None
        if task is None:
            raise Conflict(f"The reference reference_{reference.id} was created with this key, and its task is gone.")
        return reference, task

    async def _draft(self, viewer: Viewer, new: NewReference, key: str | None) -> Reference:
        values = to_values(new)
        if new.source_types is None:
            values["source_types"] = (await self._settings.get()).default_source_types
        at = self.instance.clock()
        return Reference(
            **cleaned(values),
            id=self.instance.new_id(),
            creation_key=key,
            users=(Member(id=viewer.user_id, build=True, modify=True, modify_otu=True, remove=True, created_at=at),),
            user_id=viewer.user_id,
            created_at=at,
            updated_at=at,
        )

    async def update(
        self, viewer: Viewer, id: str, changes: ReferenceChanges, *, expected_version: int | None = None
    ) -> Reference:
        """Change what is known of a reference, with the right MODIFY."""
        values = cleaned(to_values(changes))
        before = await self.get(viewer, id)
        require_right(viewer, before, Right.MODIFY)
        if "internal_control_id" in values:
            values["internal_control_id"] = await control_of(self.store, id, values["internal_control_id"])

        def changed(reference: Reference) -> Reference:
            require_right(viewer, reference, Right.MODIFY)
            check_changeable(reference)
            check_version(reference, expected_version, self.noun)
            return self._with(reference, _meant(reference, values))

        reference = await modify(self.store, Reference, id, changed, self.readable(viewer))
        return await without_deleted_control(self.store, reference)

    async def archive(self, viewer: Viewer, id: str) -> Reference:
        """Let a reference be changed no more, with the right MODIFY."""

        def archived(reference: Reference) -> Reference:
            require_right(viewer, reference, Right.MODIFY)
            if not reference.archived:
                check_changeable(reference)
                _check_not_updating(reference)
            return self._with(reference, {"archived": True})

        await self.get(viewer, id)
        return await modify(self.store, Reference, id, archived, self.readable(viewer))

    async def restore(self, viewer: Viewer, id: str) -> Reference:
        """Let an archived reference be changed again, with the right MODIFY."""

        def restored(reference: Reference) -> Reference:
            require_right(viewer, reference, Right.MODIFY)
            return self._with(reference, {"archived": False})

        await self.get(viewer, id)
        return await modify(self.store, Reference, id, restored, self.readable(viewer))

    def _with(self, reference: Reference, values: Mapping[str, Any]) -> Reference:
        after = with_values(reference, values)
        return reference if after is reference else structs.replace(after, updated_at=self.instance.clock())

    async def delete(self, viewer: Viewer, id: str) -> tuple[Reference, Task]:
        """Remove a reference, with the right REMOVE; a task then removes what belongs to it.

        One that is archived, or still being made, can be removed too.
        """
        reference, task = await retried(lambda: self._delete(viewer, id))
        await self._tasks.wake()
        return reference, task

    async def _delete(self, viewer: Viewer, id: str) -> tuple[Reference, Task]:
        reference = await self.get(viewer, id)
        require_right(viewer, reference, Right.REMOVE)
        args = DeleteReference(reference_id=id, name=reference.name)
        task = self._tasks.new(TaskType.DELETE_REFERENCE, args, user_id=viewer.user_id, reference_id=id)
        async with self.store.transaction() as documents:
            await documents.delete(reference)
            return reference, (await documents.insert(task))[0]


def _meant(reference: Reference, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what of the values a reference can have: only one of barcodes has targets."""
    if reference.data_type is DataType.BARCODE:
        return values
    return {name: value for name, value in values.items() if name != "targets"}


def _check_not_updating(reference: Reference) -> None:
    if reference.updating:
        raise Conflict(f"The reference “{reference.name}” is being updated; wait until its task is complete.")
