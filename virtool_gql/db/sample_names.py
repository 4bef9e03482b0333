"""The names of samples while they must be unique: each sample holds its name's key, which the store lets no two hold.

While names need not be unique, new and renamed samples hold no key. When names are made unique again all get theirs. Of
two that happen at once, whoever is last sees the other: a sample that is made while names become unique is found by the
second look at all samples, or its creator finds after the commit that names have become unique. Only a creator who is
killed between commit and look leaves a sample without key; the sweep finds it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress

from msgspec import structs

from virtool_gql.db.names import comparable
from virtool_gql.errors import Conflict, DuplicateValue, NotFound, StaleDocument
from virtool_gql.models.samples import Sample
from virtool_gql.query import Eq, In, Order, Page
from virtool_gql.stores.documents import Documents, modify

BATCH = 250
MOST_NAMED = 10

KEYLESS = Eq("unique_key", None)


def with_key(sample: Sample) -> Sample:
    """Give the sample with the key of its name."""
    if sample.unique_key is not None:
        return sample
    return structs.replace(sample, unique_key=comparable(sample.name))


async def refuse_duplicates(store: Documents) -> None:
    """Raise Conflict, naming up to ten of the names that more than one sample has."""
    names: dict[str, str] = {}
    samples: Counter[str] = Counter()
    async for batch in _keyless(store):
        for sample in batch:
            key = comparable(sample.name)
            names.setdefault(key, sample.name)
            samples[key] += 1
    doubled = {key for key, count in samples.items() if count > 1} | await _taken(store, list(names))
    if doubled:
        raise Conflict(_sentence(sorted(names[key] for key in doubled)), path=["sample_unique_names"])


async def give_keys(store: Documents) -> None:
    """Give all samples that have none their keys; raise Conflict when some share a name.

    It does so in batches, each of which stands: keys harm nobody while names need not be unique, and whoever is
    interrupted goes on the next time.
    """
    found = True
    while found:
        found = False
        async for batch in _keyless(store):
            found = True
            try:
                await _give(store, batch)
            except DuplicateValue:
                await refuse_duplicates(store)


async def _give(store: Documents, batch: Sequence[Sample]) -> None:
    try:
        await store.replace(*map(with_key, batch))
    except StaleDocument:
        for sample in batch:
            with suppress(NotFound):
                await modify(store, Sample, sample.id, with_key)


async def _keyless(store: Documents) -> AsyncIterator[Sequence[Sample]]:
    after: tuple[str] | None = None
    while batch := (await store.find(Sample, KEYLESS, [Order("id")], Page(first=BATCH, after=after))).documents:
        yield batch
        after = (batch[-1].id,)


async def _taken(store: Documents, keys: Sequence[str]) -> set[str]:
    """Give those of the keys that samples hold, at least as many as are named."""
    taken: set[str] = set()
    for chunk in _chunks(keys):
        if len(taken) > MOST_NAMED:
            break
        found = await store.find(Sample, In("unique_key", tuple(chunk)), page=Page(first=MOST_NAMED + 1))
        taken |= {sample.unique_key for sample in found.documents if sample.unique_key is not None}
    return taken


def _chunks(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))


def _sentence(names: Sequence[str]) -> str:
    named = ", ".join(f'"{name}"' for name in names[:MOST_NAMED])
    more = " and others" if len(names) > MOST_NAMED else ""
    return f"More than one sample is named {named}{more}; give them names of their own first."
