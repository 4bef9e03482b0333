from typing import Any

from tests.factories.api import Api
from tests.factories.references import member, stored_reference
from tests.factories.tasks import changed_task, stored_task
from virtool_gql.access import Viewer
from virtool_gql.models.tasks import CloneReference, Problem, TaskState, TaskType

ONE = """query($id: ID!) { task(id: $id) { id type state step progress complete error
    problems { message otuId otuName } warnings { message } user { handle } reference { name }
    createdAt updatedAt } }"""
LIST = """query($search: String, $filter: TaskFilter, $orderBy: [TaskOrder!], $first: Int) {
    tasks(search: $search, filter: $filter, orderBy: $orderBy, first: $first) {
        nodes { id user { handle } reference { name } } totalCount } }"""
WATCH = """subscription($filter: TaskFilter) { tasks(filter: $filter) {
    operation ids task { state progress reference { name } } } }"""
CHANGES = "subscription { changes(collections: [TASKS]) { operation ids ... on TaskChange { task { type } } } }"


async def ids(api: Api, viewer: Viewer, **variables: Any) -> list[str]:
    return [node["id"].removeprefix("task_") for node in (await api.ask(viewer, LIST, **variables))["nodes"]]


async def test_a_task_as_its_owner_sees_it(api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer) -> None:
    reference = await stored_reference(api.db, "Plant Viruses", owner.user_id)
    args = CloneReference(reference_id=reference.id, source_id="secret", manifest={})
    task = await stored_task(api.db, owner.user_id, TaskType.CLONE_REFERENCE, args, reference_id=reference.id)
    task = await changed_task(
        api.db,
        task,
        state=TaskState.FAILED,
        step="copy_otus",
        progress=0.5,
        error="It did not work.",
        problems=(Problem(message="Bad.", otu_id="abcd1234", otu_name="Virus"),),
        warnings=(Problem(message="Odd."),),
    )
    id = f"task_{task.id}"
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    seen = await api.ask(owner, ONE, id=id)
    assert seen == {
        "id": id,
        "type": "CLONE_REFERENCE",
        "state": "FAILED",
        "step": "copy_otus",
        "progress": 0.5,
        "complete": False,
        "error": "It did not work.",
        "problems": [{"message": "Bad.", "otuId": "abcd1234", "otuName": "Virus"}],
        "warnings": [{"message": "Odd."}],
        "user": {"handle": "owner"},
        "reference": {"name": "Plant Viruses"},
        "createdAt": task.created_at,
        "updatedAt": task.updated_at,
    }
    assert await api.ask(administrator, ONE, id=id) == seen
    for wrong in (id, f"job_{task.id}", task.id, "task_nothere1", ""):
        assert await api.ask(stranger, ONE, id=wrong) is None


async def test_arguments_and_leases_are_in_no_answer(api: Api, administrator: Viewer) -> None:
    asked = '{ __type(name: "Task") { fields { name } } }'
    fields = {field["name"] for field in (await api.ask(administrator, asked))["fields"]}
    assert not {name for name in fields if "args" in name.lower() or "lease" in name.lower() or "context" in name}


async def test_the_reference_of_a_task_is_shown_to_those_who_may_read_it(api: Api, owner: Viewer) -> None:
    hidden = await stored_reference(api.db, "Hidden", "somebody")
    for reference_id in (hidden.id, "gone0000", None):
        task = await stored_task(api.db, owner.user_id, reference_id=reference_id)
        assert (await api.ask(owner, ONE, id=f"task_{task.id}"))["reference"] is None


async def test_tasks_are_listed_newest_first_filtered_and_ordered(
    api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer
) -> None:
    reference = await stored_reference(api.db, "R", owner.user_id, users=(member(stranger.user_id),))
    old = await stored_task(api.db, owner.user_id, state=TaskState.COMPLETE, progress=1.0)
    shared = await stored_task(api.db, owner.user_id, reference_id=reference.id, progress=0.5)
    own = await stored_task(api.db, stranger.user_id, TaskType.REFRESH_HMMS, state=TaskState.FAILED)
    silent = await stored_task(api.db, None, TaskType.REFRESH_SOFTWARE)
    assert await api.code(None, LIST) == "UNAUTHENTICATED"
    assert await ids(api, administrator) == [silent.id, own.id, shared.id, old.id]
    assert await ids(api, owner) == [shared.id, old.id]
    assert await ids(api, stranger) == [own.id, shared.id]
    assert await ids(api, administrator, filter={"type": "REFRESH_HMMS"}) == [own.id]
    assert await ids(api, administrator, filter={"types": ["REFRESH_HMMS", "REFRESH_SOFTWARE"]}) == [silent.id, own.id]
    assert await ids(api, administrator, filter={"state": "WAITING"}) == [silent.id, shared.id]
    assert await ids(api, administrator, filter={"states": ["FAILED", "COMPLETE"]}) == [own.id, old.id]
    assert await ids(api, administrator, filter={"complete": True}) == [old.id]
    assert await ids(api, administrator, filter={"complete": False}) == [silent.id, own.id, shared.id]
    assert await ids(api, administrator, filter={"referenceId": f"reference_{reference.id}"}) == [shared.id]
    assert await ids(api, administrator, filter={"userId": f"user_{stranger.user_id}"}) == [own.id]
    assert await ids(api, administrator, filter={"ids": [f"task_{old.id}", "task_nothere1"]}) == [old.id]
    assert await ids(api, administrator, filter={"createdBefore": shared.created_at}) == [old.id]
    assert await ids(api, administrator, filter={"createdAfter": own.created_at}) == [silent.id, own.id]
    assert await ids(api, administrator, search="refresh software") == [silent.id]
    ordered = await ids(api, administrator, orderBy=[{"field": "PROGRESS", "direction": "DESC"}])
    assert ordered[:2] == [old.id, shared.id]


async def test_a_longer_page_needs_no_more_statements(api: Api, owner: Viewer) -> None:
    for number in range(25):
        reference = await stored_reference(api.db, f"R{number}", owner.user_id)
        await stored_task(api.db, owner.user_id, reference_id=reference.id)
    counts = []
    for size in (2, 25):
        with api.statements() as statements:
            assert len(await ids(api, owner, first=size)) == size
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_changes_of_tasks_are_told(api: Api, owner: Viewer, stranger: Viewer) -> None:
    reference = await stored_reference(api.db, "R", owner.user_id)
    only = {"referenceId": f"reference_{reference.id}"}
    cursor = await api.cursor(owner)
    other = await stored_task(api.db, stranger.user_id)
    task = await stored_task(api.db, owner.user_id, reference_id=reference.id)
    await changed_task(api.db, task, state=TaskState.RUNNING, progress=0.25)
    await api.db.store.delete(await api.db.tasks.get(owner, task.id))
    watch = WATCH.replace("filter: $filter)", f'filter: $filter, after: "{cursor}")')
    async with api.subscribed(owner, watch, filter=only) as watched:
        seen = [await watched.next() for _ in range(3)]
    assert [(change["operation"], change["ids"]) for change in seen] == [
        (operation, [f"task_{task.id}"]) for operation in ("INSERT", "UPDATE", "DELETE")
    ]
    assert [change["task"] and change["task"]["progress"] for change in seen] == [0.0, 0.25, None]
    assert seen[1]["task"]["reference"] == {"name": "R"}
    changes = CHANGES.replace("[TASKS]", f'[TASKS], after: "{cursor}"')
    async with api.subscribed(stranger, changes) as watched:
        assert (await watched.next())["ids"] == [f"task_{other.id}"]
        own = await stored_task(api.db, stranger.user_id)
        assert (await watched.next())["ids"] == [f"task_{own.id}"], "of the owner's task nothing was told"
