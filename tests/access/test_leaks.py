"""Counts, cursors, filters, `node` and error texts: none of them tells of what one may not read."""

import json
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    get_named_type,
    is_required_input_field,
)

from tests.access.events import CAUSES, readable
from tests.access.inputs import OF_MUTATIONS, input_of, plain_value
from tests.access.operations import input_type, kind_of, mutation, root
from tests.access.references import another_readable_reference_of, otu_of, reference_of
from tests.access.rules import NODES, Role, ruled
from tests.access.watching import WATCHES
from tests.access.world import UNSEEN, Person, World
from tests.factories.conditions import until
from tests.factories.tasks import stored_task
from virtool_gql.models.files import File, FileType
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import ClonedFrom, Reference
from virtool_gql.models.samples import LibraryType, Sample
from virtool_gql.models.tasks import CloneReference, TaskType
from virtool_gql.models.users import User

RULES = ruled()
UNKNOWN = "zzzzzzzz"
LISTS = {name: field for name, field in root("Query").items() if "orderBy" in field.args}
HIDING = {name: field for name, field in LISTS.items() if RULES[f"Query.{name}"][Role.STRANGER] == "404"}
"""Lists in which a stranger does not find everything."""


def orderings(name: str) -> list[str]:
    """Write each ordering of a list, both ways."""
    order = get_named_type(LISTS[name].args["orderBy"].type)
    assert isinstance(order, GraphQLInputObjectType)
    fields = get_named_type(order.fields["field"].type)
    assert isinstance(fields, GraphQLEnumType)
    return [f"[{{ field: {field}, direction: {way} }}]" for field in fields.values for way in ("ASC", "DESC")]


async def some_of_each(world: World, name: str, person: Person) -> tuple[list[str], list[str]]:
    """Make documents that the person may read, and others between them; give the ids of both."""
    kind, seen, unseen = kind_of(name), [], []
    for _ in range(3):
        seen.append(await readable(world, kind, person))
        unseen.append(f"{kind}_{(await CAUSES[kind].owners(world)).id}")
    return seen, unseen


async def page(world: World, person: Person, name: str, arguments: str) -> dict[str, Any]:
    query = f"{{ {name}({arguments}) {{ totalCount edges {{ cursor node {{ id }} }} pageInfo {{ {PAGE_INFO} }} }} }}"
    return dict((await world.done(person, query))[name])


PAGE_INFO = "hasNextPage hasPreviousPage startCursor endCursor"


@pytest.mark.parametrize("name", HIDING)
async def test_counts_and_pages_know_only_what_may_be_read(world: World, name: str) -> None:
    stranger = world.standing[Role.STRANGER]
    seen, unseen = await some_of_each(world, name, stranger)
    among = f"filter: {{ ids: {json.dumps(seen + unseen)} }}"
    for order in orderings(name):
        for first, after, end, more in (
            ("first", "after", "endCursor", "hasNextPage"),
            ("last", "before", "startCursor", "hasPreviousPage"),
        ):
            found, place = [], ""
            for left in (2, 1, 0):
                told = await page(world, stranger, name, f"{among}, orderBy: {order}, {first}: 1{place}")
                found += [edge["node"]["id"] for edge in told["edges"]]
                assert (told["totalCount"], told["pageInfo"][more]) == (3, left > 0)
                place = f', {after}: "{told["pageInfo"][end]}"'
            assert sorted(found) == sorted(seen)


@pytest.mark.parametrize("name", HIDING)
async def test_cursors_of_somebody_elses_list_give_nothing_more(world: World, name: str) -> None:
    stranger, administrator = world.standing[Role.STRANGER], world.standing[Role.ADMINISTRATOR]
    seen, unseen = await some_of_each(world, name, stranger)
    among = f"filter: {{ ids: {json.dumps(seen + unseen)} }}"
    for order in orderings(name):
        everything = await page(world, administrator, name, f"{among}, orderBy: {order}")
        ids = [edge["node"]["id"] for edge in everything["edges"]]
        assert sorted(ids) == sorted(seen + unseen)
        for number, edge in enumerate(everything["edges"]):
            after = await page(world, stranger, name, f'{among}, orderBy: {order}, after: "{edge["cursor"]}"')
            assert [edge["node"]["id"] for edge in after["edges"]] == [id for id in ids[number + 1 :] if id in seen]
            assert (after["totalCount"], after["pageInfo"]["hasNextPage"]) == (3, False)


MOMENTS = {"createdAfter": '"2020-01-01T00:00:00.000Z"', "createdBefore": '"2999-01-01T00:00:00.000Z"'}
FILTERS: dict[str, dict[str, str]] = {
    "samples": {
        "search": f'"{UNSEEN}"',
        "ids": "",
        "name": '"$name"',
        "host": f'"{UNSEEN} host"',
        "libraryType": "SRNA",
        "ready": "true",
        "paired": "true",
        "userId": '"$user"',
        "userIds": '["$user"]',
        "groupId": '"$group"',
        "labelIds": '["$label"]',
        "withoutLabels": "false",
        "subtractionId": '"$subtraction"',
        "createdAfter": '"2020-01-01T00:00:00.000Z"',
        "createdBefore": '"2999-01-01T00:00:00.000Z"',
    },
    "jobs": {
        "search": '"create"',
        "ids": "",
        "state": "ERROR",
        "states": "[ERROR]",
        "workflow": "CREATE_SAMPLE",
        "workflows": "[CREATE_SAMPLE]",
        "userId": '"$user"',
        "createdAfter": '"2020-01-01T00:00:00.000Z"',
        "createdBefore": '"2999-01-01T00:00:00.000Z"',
    },
    "references": {
        "search": f'"{UNSEEN}"',
        "ids": "",
        "name": '"$reference_name"',
        "dataType": "BARCODE",
        "archived": "false",
        "ready": "true",
        "remote": "true",
        "userId": '"$user"',
        **MOMENTS,
    },
    "otus": {
        "search": f'"{UNSEEN}"',
        "ids": "",
        "referenceId": '"$reference"',
        "name": '"$otu_name"',
        "abbreviation": '"$abbreviation"',
        "verified": "false",
        "modified": "true",
        "imported": "false",
        "remoteId": '"remote00"',
        "userId": '"$user"',
        **MOMENTS,
    },
    "history": {
        "search": f'"{UNSEEN}"',
        "ids": "",
        "referenceId": '"$reference"',
        "otuId": '"$otu"',
        "indexId": '"$index"',
        "unbuilt": "false",
        "verbs": "[CREATE]",
        "userId": '"$user"',
        **MOMENTS,
    },
    "indexes": {
        "search": '"$index_id"',
        "ids": "",
        "referenceId": '"$reference"',
        "ready": "true",
        "latest": "true",
        "userId": '"$user"',
        **MOMENTS,
    },
    "tasks": {
        "search": '"clone"',
        "ids": "",
        "type": "CLONE_REFERENCE",
        "types": "[CLONE_REFERENCE]",
        "state": "FAILED",
        "states": "[FAILED]",
        "complete": "false",
        "referenceId": '"$reference"',
        "userId": '"$user"',
        **MOMENTS,
    },
}
"""For each filter a value that matches what is hidden."""

ARGUMENTS: dict[str, dict[str, str]] = {
    "otus": {"referenceId": '"$reference"'},
    "history": {"referenceId": '"$reference"', "otuId": '"$otu"', "indexId": '"$index"', "unbuilt": "false"},
    "indexes": {"referenceId": '"$reference"', "ready": "true"},
}
"""The same for arguments that only some lists have."""


def test_each_filter_of_a_list_that_hides_something_is_tried() -> None:
    for name, field in HIDING.items():
        filter = get_named_type(field.args["filter"].type)
        assert isinstance(filter, GraphQLInputObjectType)
        assert filter.fields.keys() == FILTERS[name].keys()
        others = field.args.keys() - {"first", "after", "last", "before", "filter", "orderBy", "search"}
        assert others == ARGUMENTS.get(name, {}).keys()


@pytest.mark.parametrize("name", HIDING)
async def test_filters_are_no_oracle(world: World, name: str) -> None:
    """A filter that matches a hidden document finds it for an administrator, and nothing for a stranger."""
    id = world.shown[kind_of(name)]
    sample = await world.changed(
        Sample, world.shown["sample"].partition("_")[2], library_type=LibraryType.SRNA, paired=True
    )
    reference = await world.kept(Reference, world.shown["reference"].partition("_")[2])
    otu = await world.kept(OTU, world.shown["otu"].partition("_")[2])
    values = {
        "$name": sample.name,
        "$user": f"user_{sample.user_id}",
        "$group": f"group_{sample.group_id}",
        "$label": world.shown["label"],
        "$subtraction": world.shown["subtraction"],
        "$reference_name": reference.name,
        "$reference": world.shown["reference"],
        "$otu_name": otu.name,
        "$otu": world.shown["otu"],
        "$abbreviation": otu.abbreviation,
        "$index_id": world.shown["index"].partition("_")[2],
        "$index": world.shown["index"],
    }
    tried = [
        f'filter: {{ ids: ["{id}"]{f", {filter}: {value}" if value else ""} }}'
        for filter, value in FILTERS[name].items()
    ]
    tried += [
        f'filter: {{ ids: ["{id}"] }}, {argument}: {value}' for argument, value in ARGUMENTS.get(name, {}).items()
    ]
    for asked in tried:
        by = asked
        for placeholder, value in values.items():
            by = by.replace(placeholder, value)
        assert (await page(world, world.standing[Role.ADMINISTRATOR], name, by))["totalCount"] == 1, by
        for role in (Role.STRANGER, Role.PLAIN_KEY):
            assert await page(world, world.standing[role], name, by) == EMPTY, by


EMPTY = {
    "totalCount": 0,
    "edges": [],
    "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
}


@pytest.mark.parametrize("carrier", WATCHES)
async def test_the_filter_of_a_subscription_is_no_oracle(world: World, carrier: str) -> None:
    sample = await world.sample()
    id = f"sample_{sample.id}"
    filter = f'ids: ["{id}"], filter: {{ name: "{sample.name}" }}'
    query = f"subscription {{ samples({filter}) {{ operation ids sample {{ version }} }} }}"
    async with WATCHES[carrier](world, world.standing[Role.ADMINISTRATOR], {"samples": query}) as watch:
        before = await _changed_until_told(world, sample.id, watch)
        async with WATCHES[carrier](world, world.standing[Role.STRANGER], {"samples": query}) as strangers:
            await world.changed(Sample, sample.id, notes="still hidden")
            opened = await world.changed(Sample, sample.id, all_read=True)
            await _changed_until_told(world, sample.id, strangers)
    assert before < opened.version
    assert strangers.heard["samples"][0]["sample"]["version"] >= opened.version


async def _changed_until_told(world: World, id: str, watch: Any) -> int:
    for number in range(100):
        changed = await world.changed(Sample, id, notes=f"{UNSEEN} {number}")
        try:
            await watch.hears("samples", f"sample_{id}", seconds=0.2)
        except TimeoutError:
            continue
        return changed.version
    raise TimeoutError


SINGLE = [name for name, field in root("Query").items() if "id" in field.args]


@pytest.mark.parametrize("role", [Role.STRANGER, Role.PLAIN_KEY])
async def test_unknown_malformed_forbidden_and_foreign_ids_are_alike(world: World, role: Role) -> None:
    person = world.standing[role]
    for name in SINGLE:
        kind = kind_of(name)
        hidden = [id for type, id in world.shown.items() if name == "node" or type == kind]
        rules = {kind_of(type[0].lower() + type[1:]): rule for type, rule in NODES.items()}
        ids = [id for id in hidden if rules.get(id.partition("_")[0], rules["sample"])[role] == "404"]
        others = [id for id in world.shown.values() if name != "node" and not id.startswith(f"{kind}_")]
        for id in [*ids, *others, f"{kind}_{UNKNOWN}", "", "x", f"{kind}_", f"{kind}_ÄÖ", f"{kind}_{'a' * 65}", "_"]:
            answer = await world.ask(person, f"query($id: ID!) {{ {name}(id: $id) {{ id }} }}", id=id)
            assert answer == {"data": {name: None}, "extensions": answer["extensions"]}, (name, id)
    hidden = [world.shown["sample"], world.shown["job"], world.shown["key"], f"sample_{UNKNOWN}", "x"]
    answer = await world.ask(person, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=hidden)
    assert answer["data"] == {"nodes": [None] * len(hidden)}


def id_inputs(name: str) -> list[str]:
    type = input_type(name)
    return [field for field in type.fields if field.lower().endswith(("id", "ids"))] if type else []


HIDDEN_KINDS = {"sample", "job", "key", "session", "reference", "otu", "isolate", "sequence", "history"}
TAKES_HIDDEN = [
    (name, field)
    for name in root("Mutation")
    for field in id_inputs(name)
    if (OF_MUTATIONS[name] if field == "id" else field.removesuffix("s").removesuffix("Id")) in HIDDEN_KINDS
]


@pytest.mark.parametrize(("name", "field"), TAKES_HIDDEN)
@pytest.mark.parametrize("role", [Role.STRANGER, Role.ENTITLED, Role.PLAIN_KEY])
async def test_mutations_answer_alike_for_what_is_hidden_and_what_is_not_there(
    world: World, name: str, field: str, role: Role
) -> None:
    person = await world.person(role)
    input = await input_of(world, person, name)
    hidden = input[field]
    kind = (hidden[0] if isinstance(hidden, list) else hidden).partition("_")[0]
    if kind == "job" and role is Role.ENTITLED:
        return  # who has the permissions may read jobs
    unknown = [f"{kind}_{UNKNOWN}"] if isinstance(hidden, list) else f"{kind}_{UNKNOWN}"
    first = await world.ask(person, mutation(name), input=input)
    second = await world.ask(person, mutation(name), input={**input, field: unknown})
    text = json.dumps(first).replace(hidden[0] if isinstance(hidden, list) else hidden, f"{kind}_{UNKNOWN}")
    assert text == json.dumps(second)
    assert "NOT_FOUND" in text or role is Role.PLAIN_KEY or RULES[f"Mutation.{name}"][role] == "403"
    for more in more_inputs(name):
        first = await world.ask(person, mutation(name), input={**input, **more})
        second = await world.ask(person, mutation(name), input={**input, **more, field: unknown})
        text = json.dumps(first).replace(hidden[0] if isinstance(hidden, list) else hidden, f"{kind}_{UNKNOWN}")
        assert text == json.dumps(second), more


def more_inputs(name: str) -> list[dict[str, Any]]:
    """Give each field that may be left out, one at a time, so that what is checked first tells nothing either."""
    type = input_type(name)
    fields = type.fields if type else {}
    return [{field: more_value(field, each)} for field, each in fields.items() if not is_required_input_field(each)]


def more_value(name: str, field: GraphQLInputField) -> Any:
    if get_named_type(field.type).name == "DateTime":
        return "2020-01-01T00:00:00.000Z"
    return f"{name.removesuffix('Id')}_{UNKNOWN}" if name.endswith("Id") else plain_value(name, field)


async def test_downloads_and_logs_answer_alike_for_what_is_hidden_and_what_is_not_there(world: World) -> None:
    stranger = world.standing[Role.STRANGER]
    headers = {**stranger.headers, "x-request-id": "same"}
    for kind, path in DOWNLOADS.items():
        answers = []
        for id in (world.shown[kind], f"{kind}_{UNKNOWN}"):
            answer = await world.client.get(path.format(id), headers=headers)
            answers.append((answer.status_code, answer.content, sorted(answer.headers.keys() - {"date"})))
        assert answers[0] == answers[1]
        assert answers[0][0] == HTTPStatus.NOT_FOUND
    refused = []
    for id in (world.shown["job"], f"job_{UNKNOWN}"):
        query = f'subscription {{ jobLog(id: "{id}") {{ text }} }}'
        answer = await world.client.post(
            "/graphql", json={"query": query}, headers={**headers, "accept": "text/event-stream"}
        )
        refused.append(answer.content)
    assert refused[0] == refused[1]


DOWNLOADS = {
    "sample": "/downloads/samples/{}/reads_1.fq.gz",
    "reference": "/downloads/references/{}/reference.json.gz",
    "index": "/downloads/indexes/{}/reference.json.gz",
    "otu": "/downloads/otus/{}.fa",
    "isolate": "/downloads/isolates/{}.fa",
    "sequence": "/downloads/sequences/{}.fa",
}


async def test_a_hidden_reference_is_not_named_by_what_points_at_it(world: World) -> None:
    """By a clone that one may read, by a file that is reserved for it, and by one's own task: `World.ask` looks."""
    stranger, hidden = await world.person(Role.STRANGER), await reference_of(world)
    clone = await another_readable_reference_of(
        world, stranger, cloned_from=ClonedFrom(id=hidden.id, name="A name of then")
    )
    told = await world.done(
        stranger, f'{{ reference(id: "reference_{clone.id}") {{ clonedFrom {{ name reference {{ id name }} }} }} }}'
    )
    assert told["reference"]["clonedFrom"] == {"name": "A name of then", "reference": None}
    args = CloneReference(reference_id=hidden.id, source_id=hidden.id, manifest={})
    task = await stored_task(world.db, stranger.user_id, TaskType.CLONE_REFERENCE, args, reference_id=hidden.id)
    told = await world.done(stranger, f'{{ task(id: "task_{task.id}") {{ id reference {{ id }} }} }}')
    assert told["task"] == {"id": f"task_{task.id}", "reference": None}
    file = await world.file(reserved_by=hidden.id, type=FileType.REFERENCE)
    entitled, id = world.standing[Role.ENTITLED], f"file_{file.id}"
    for name, input in {"deleteFile": {"id": id}, "importReference": {"fileId": id}}.items():
        answer = await world.ask(entitled, mutation(name), input=input)
        assert answer["data"][name]["errors"][0]["code"] == "CONFLICT"
        assert hidden.id not in json.dumps(answer)


async def test_an_otu_of_another_reference_is_no_internal_control(world: World) -> None:
    """Nobody learns by it whether there is an OTU of that id."""
    owner = await world.person(Role.OWNER)
    mine, hidden = await reference_of(world, owner), await otu_of(world, await reference_of(world))
    for otu_id in (f"otu_{hidden.otu.id}", f"otu_{UNKNOWN}"):
        input = {"id": f"reference_{mine.id}", "internalControlId": otu_id}
        answer = await world.ask(owner, mutation("updateReference"), input=input)
        assert answer["data"]["updateReference"]["errors"] == []
        assert (await world.kept(Reference, mine.id)).internal_control_id is None


async def test_names_of_otus_are_free_in_each_reference(world: World) -> None:
    """A name that is taken in a hidden reference is not told to be."""
    owner = await world.person(Role.OWNER)
    hidden = await otu_of(world, await reference_of(world))
    input = {"referenceId": f"reference_{(await reference_of(world, owner)).id}", "name": hidden.otu.name}
    answer = await world.ask(owner, mutation("createOtu"), input=input)
    assert answer["data"]["createOtu"]["errors"] == []


async def test_errors_do_not_name_what_is_hidden(world: World) -> None:
    """Of a file that a hidden sample uses neither deleting nor using it tells the sample's name: `World.ask` looks."""
    sample = await world.sample()
    file = await world.file(reserved_by=sample.id)
    entitled, id = world.standing[Role.ENTITLED], f"file_{file.id}"
    for name, input in {
        "deleteFile": {"id": id},
        "createSample": {"name": "Mine", "fileIds": [id]},
    }.items():
        answer = await world.ask(entitled, mutation(name), input=input)
        assert answer["data"][name]["errors"][0]["code"] == "CONFLICT"
        assert sample.id not in json.dumps(answer)
    assert await world.db.store.get(File, file.id) is not None


async def test_a_name_that_is_taken_tells_only_that(world: World) -> None:
    """Where names must be unique, their being taken cannot be hidden; whose they are, and of which sample, is."""
    hidden, owner = await world.sample(), await world.person(Role.OWNER)
    person = Person(Role.ENTITLED, owner.user_id, owner.handle, owner.headers)
    file = f"file_{(await world.file(user_id=person.user_id)).id}"
    answer = await world.ask(person, mutation("createSample"), input={"name": hidden.name, "fileIds": [file]})
    assert answer["data"]["createSample"] == {
        "errors": [{"code": "CONFLICT", "message": "Sample name is already in use.", "path": ["name"]}],
        "sample": None,
        "job": None,
    }


async def test_an_idempotency_key_is_its_owners(world: World) -> None:
    first, second = await world.person(Role.OWNER), await world.person(Role.OWNER)
    made = []
    for person, name in ((first, UNSEEN), (second, "Mine")):
        input = {
            "name": f"{name} {person.handle}",
            "fileIds": [f"file_{(await world.file()).id}"],
            "idempotencyKey": "k",
        }
        answer = await world.ask(person, mutation("createSample"), input=input)
        made.append(answer["data"]["createSample"]["sample"]["id"])
    assert made[0] != made[1]


async def test_a_label_counts_the_samples_that_one_may_read(world: World) -> None:
    label = await world.label()
    await world.sample(label_ids=(label.id,))
    await world.sample(label_ids=(label.id,), all_read=True)
    counts = {}
    for role in Role:
        answer = await world.ask(world.standing[role], f'{{ label(id: "label_{label.id}") {{ sampleCount }} }}')
        counts[role] = answer["data"]["label"]["sampleCount"] if "errors" not in answer else None
    reads = {"yes": 2, "404": 1, "401": None}
    assert counts == {role: reads[NODES["Sample"][role]] for role in Role}


@pytest.mark.parametrize("carrier", WATCHES)
async def test_nobody_is_found_by_what_only_they_themselves_may_read(world: World, carrier: str) -> None:
    """Neither lists nor subscriptions of users tell an e-mail address, or who must choose a new password."""
    word = carrier.replace(" ", "_")
    user = await world.user(Role.STRANGER, email=f"unguessable_{word}@example.org", force_reset=True)
    by_email, by_reset = f'filter: {{ search: "unguessable_{word}" }}', "filter: { forceReset: true }"
    found = {}
    for role in (Role.STRANGER, Role.ENTITLED, Role.PLAIN_KEY, Role.ADMINISTRATOR):
        found[role] = (await page(world, world.standing[role], "users", by_email))["totalCount"]
        refused = await world.ask(world.standing[role], f"{{ users({by_reset}) {{ totalCount }} }}")
        assert ("errors" in refused) == (role is not Role.ADMINISTRATOR)
    assert found == {Role.STRANGER: 0, Role.ENTITLED: 0, Role.PLAIN_KEY: 0, Role.ADMINISTRATOR: 1}
    queries = {
        "email": f"subscription {{ users({by_email}) {{ operation ids }} }}",
        "reset": f"subscription {{ users({by_reset}) {{ operation ids }} }}",
        "all": "subscription { users { operation ids } }",
    }
    async with WATCHES[carrier](world, world.standing[Role.STRANGER], queries) as watch:
        while not watch.heard["all"]:
            await world.changed(User, user.id, primary_group_id=None)
            with suppress(TimeoutError):
                await until(lambda: watch.heard["all"], seconds=0.2)
        await world.changed(User, user.id, active=False)
        await watch.hears("all", f"user_{(await world.user(Role.STRANGER)).id}")
        await until(lambda: watch.refused.keys() == {"reset"})
        assert (watch.heard["email"], watch.heard["reset"]) == ([], [])


def test_hidden_kinds_are_those_that_the_rules_hide() -> None:
    hidden = {type for type, rule in NODES.items() if rule[Role.STRANGER] == "404"}
    of_references = {"Reference", "OTU", "Isolate", "Sequence", "HistoryEntry", "Index", "Task"}
    assert hidden == {"Sample", "Job", "ApiKey", "AuditEntry", *of_references}
