import asyncio

from tests.factories.conditions import until
from virtool_gql.db.room import Room


class Visits:
    """Who came in, in their order; each stays until it is sent out."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.inside: list[str] = []
        self.seen: list[str] = []

    async def visit(self, party: str) -> None:
        await self.room.enter(party)
        self.inside.append(party)
        self.seen.append(party)

    async def next(self) -> None:
        self.inside.pop(0)
        count = len(self.seen)
        self.room.leave()
        await until(lambda: len(self.seen) > count)


async def test_so_many_are_in_at_once_and_each_party_has_its_turn() -> None:
    visits = Visits(Room(2))
    tasks = [asyncio.create_task(visits.visit(party)) for party in "aaaaabbc"]
    await until(lambda: len(visits.inside) == 2)
    for _ in range(6):
        assert len(visits.inside) == 2
        await visits.next()
    await asyncio.gather(*tasks)
    assert "".join(visits.seen) == "aaabcaba"
    visits.room.leave()
    visits.room.leave()
    await asyncio.gather(visits.visit("a"), visits.visit("a"))


async def test_who_goes_away_while_waiting_takes_no_turn() -> None:
    visits = Visits(Room(1))
    await visits.visit("a")
    waiting = [asyncio.create_task(visits.visit(party)) for party in "bcd"]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await visits.next()
    assert visits.seen == ["a", "c"]
    visits.room.leave()
    waiting[2].cancel()  # whose turn it is by now
    await asyncio.gather(*waiting, return_exceptions=True)
    await visits.visit("e")
    assert visits.seen == ["a", "c", "e"]
