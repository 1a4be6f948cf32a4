"""Editing the registry over HTTP: versions, states, places, two people, races."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from libs.fakes.registry import a_group, a_programme, a_terminal, an_outlet
from libs.pg import Pool, open_pool
from libs.registry import EntityStatus, Outlet, Product
from services.admin.domain.permission import RULES
from tests.integration.services.admin.registry_bench import PEOPLE, Bench

pytestmark = pytest.mark.postgres

OUTLET = "BUMA00000000001"
FIRST_NUMBER = 1_000_001
KINDS = ("outlet", "terminal", "group", "product", "programme")
LOCAL = ("outlet", "terminal")
ADDED: dict[str, dict[str, Any]] = {
    "outlet": {"code": OUTLET, "name": "Kios", "region": "papua", "groups": ["even"]},
    "terminal": {"code": "LSK00001", "outlet": OUTLET, "may_omit_mac": True},
    "group": {"code": "south", "name": "Selatan"},
    "product": {"code": "standard", "ceiling_minor": 100, "reason": "new"},
    "programme": {"number": 1, "name": "Bantuan", "groups": ["even"], "reason": "new"},
}
CHANGED: dict[str, dict[str, Any]] = {
    "outlet": {"name": "Toko"},
    "terminal": {"listener": "edc2"},
    "group": {"name": "South"},
    "product": {"day_count": 3, "reason": "as agreed"},
    "programme": {"name": "Sembako", "reason": "as agreed"},
}
CODES = {
    "outlet": OUTLET,
    "terminal": "LSK00001",
    "group": "south",
    "product": "standard",
    "programme": "1",
}


@pytest.fixture
async def pool(make_database: Callable[..., Awaitable[str]]) -> AsyncIterator[Pool]:
    dsn = await make_database({"admin": Path("services/admin/migrations")})
    async with open_pool(dsn, name="tests", size=4) as opened:
        yield opened


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.hire()
    await bench.with_groups()
    return bench


async def add(bench: Bench, kind: str) -> Any:
    """Add what a kind's tests work with, and what that needs."""
    if kind == "terminal":
        await add(bench, "outlet")
    answer = await bench.do(owner_of(kind), "POST", f"/v1/{kind}s", **ADDED[kind])
    if "proposal" in answer:
        return (await bench.approve(answer["proposal"])).body
    return answer


async def prepare_outside(bench: Bench, kind: str, verb: str) -> None:
    """Make an act right but for its place, which is outside of the group "even"."""
    if verb == "add":
        if kind == "terminal":
            await add(bench, "outlet")
            await bench.do("operator", "PATCH", f"/v1/outlets/{OUTLET}", groups=["north"])
    elif verb == "set":
        if kind == "terminal":
            await bench.do("operator", "POST", "/v1/terminals", **ADDED[kind])
        else:
            await add(bench, kind)
        if kind == "outlet":
            await bench.do("operator", "PATCH", f"/v1/outlets/{OUTLET}", groups=["north"])
    elif verb == "resume":
        await bench.do(owner_of(kind), "POST", f"/v1/{kind}s/{CODES[kind]}/pause", reason="x")


def owner_of(kind: str) -> str:
    """Return who may change a kind of entry."""
    return "operator" if kind in LOCAL else "admin"


def request_of(kind: str, verb: str) -> tuple[str, str, dict[str, Any]]:
    """Return a request that would be right, for a kind's own thing."""
    path = f"/v1/{kind}s"
    if verb == "add":
        return "POST", path, ADDED[kind]
    if verb == "set":
        return "PATCH", f"{path}/{CODES[kind]}", CHANGED[kind]
    if verb == "import":
        return "POST", f"{path}/import", {"rows": [], "sha256": "0" * 64}
    return "POST", f"{path}/{CODES[kind]}/{verb}", {"reason": "a test"}


VERBS = {
    kind: [name.partition(".")[2] for name in RULES if name.startswith(f"{kind}.")]
    for kind in KINDS
}


class TestOneAfterTheOther:
    async def test_leads_an_outlet_through_its_life(self, bench: Bench) -> None:
        """Each change is the next version of its record, and a row of the audit."""
        path = f"/v1/outlets/{OUTLET}"
        added = await bench.do("operator", "POST", "/v1/outlets", **ADDED["outlet"])
        await bench.do("operator", "PATCH", path, name="Toko", groups=["north"])
        await bench.do("operator", "POST", f"{path}/pause", reason="no power")
        await bench.do("operator", "POST", f"{path}/resume", reason="power")
        closed = await bench.do("operator", "POST", f"{path}/close", reason="moved away")

        shown = await bench.do("auditor", "GET", path)

        expected = an_outlet(
            FIRST_NUMBER, code=OUTLET, region="papua", groups=("north",), status=EntityStatus.CLOSED
        )
        assert (expected._replace(name="Toko"), 5) == await bench.entry(f"outlet/{OUTLET}")
        assert [(1, "active"), (5, "closed"), (5, "closed")] == [
            (one["version"], one["status"]) for one in (added, closed, shown)
        ]
        rows = [row[:4] for row in await bench.audit() if row[2].startswith("outlet")]
        assert [
            ("operator", f"outlet.{verb}", f"outlet/{OUTLET}", "done")
            for verb in ("add", "set", "pause", "resume", "close")
        ] == rows

    async def test_gives_each_outlet_its_own_number(self, bench: Bench) -> None:
        """A refused one uses none up."""
        await add(bench, "outlet")
        await bench.send("operator", "POST", "/v1/outlets", code="BUMA", name="Kios")
        second = await bench.do(
            "operator", "POST", "/v1/outlets", code="BUMA00000000002", name="Kios"
        )

        assert FIRST_NUMBER + 1 == second["number"]

    async def test_writes_each_kind_as_readers_read_it(self, bench: Bench) -> None:
        """Terminal, group and programme are what every reader of the topic finds."""
        for kind in ("terminal", "group", "programme"):
            await add(bench, kind)

        assert (a_terminal(1), 1) == await bench.entry("terminal/LSK00001")
        assert (a_group("south")._replace(name="Selatan"), 1) == await bench.entry("group/south")
        assert (a_programme(1), 1) == await bench.entry("programme/1")

    async def test_moves_a_terminal(self, bench: Bench) -> None:
        """Into an outlet that is there and open, and into no other."""
        await add(bench, "terminal")
        other = "BUMA00000000002"
        nowhere = await bench.send("operator", "PATCH", "/v1/terminals/LSK00001", outlet=other)
        await bench.do("operator", "POST", "/v1/outlets", code=other, name="Toko")
        moved = await bench.do("operator", "PATCH", "/v1/terminals/LSK00001", outlet=other)
        await bench.do("operator", "POST", f"/v1/outlets/{OUTLET}/close", reason="gone")
        back = await bench.send("operator", "PATCH", "/v1/terminals/LSK00001", outlet=OUTLET)

        assert (other, 2) == (moved["outlet"], moved["version"])
        assert ["NOT_ALLOWED", "NOT_ALLOWED"] == [nowhere.code, back.code]
        assert "is closed" in back.body["error"]["detail"]

    @pytest.mark.parametrize("kind", KINDS)
    async def test_closes_for_ever(self, bench: Bench, kind: str) -> None:
        """Nothing that is closed is set, resumed, closed or added again."""
        await add(bench, kind)
        method, path, body = request_of(kind, "close")
        if RULES[f"{kind}.close"].two_people:
            await bench.agree(method, path)
        else:
            await bench.do(owner_of(kind), method, path, **body)
        before = await bench.count()

        for verb in [verb for verb in VERBS[kind] if verb != "import"]:
            method, path, body = request_of(kind, verb)
            answer = await bench.send(owner_of(kind), method, path, **body)
            assert (409, "EXISTS" if verb == "add" else "WRONG_STATE") == (
                answer.status,
                answer.code,
            )
        assert before == await bench.count()


class TestRights:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_refuses_other_roles(self, bench: Bench, kind: str) -> None:
        """Who is not of the role changes nothing, and the audit has the attempt."""
        await add(bench, kind)
        before = await bench.count()
        for verb in VERBS[kind]:
            others = [
                login
                for login, (role, _) in PEOPLE.items()
                if role not in RULES[f"{kind}.{verb}"].roles
            ]
            method, path, body = request_of(kind, verb)

            answers = [await bench.send(login, method, path, **body) for login in others]

            assert {(403, "NOT_YOUR_ROLE")} == {(one.status, one.code) for one in answers}
            refused = [row[0] for row in await bench.audit() if row[3] == "refused"]
            assert others == refused[-len(others) :]
        assert before == await bench.count()

    @pytest.mark.parametrize("kind", KINDS)
    async def test_refuses_other_scopes(self, bench: Bench, kind: str) -> None:
        """An operator of another group, an administrator of a region: nothing is done."""
        who = "even" if kind in LOCAL else "local"
        for verb in ("add", "set", "pause", "close", "resume"):
            if verb not in VERBS[kind]:
                continue
            await prepare_outside(bench, kind, verb)
            before = await bench.count()
            method, path, body = request_of(kind, verb)
            if (kind, verb) == ("outlet", "add"):
                body = {**body, "groups": ["north"]}

            answer = await bench.send(who, method, path, **body)

            assert (verb, 403, "NOT_YOUR_SCOPE") == (verb, answer.status, answer.code)
            last = (await bench.audit())[-1]
            assert (who, f"{kind}.{verb}", "refused") == (last[0], last[1], last[3])
            assert before == await bench.count()

    async def test_moves_an_outlet_only_with_both_places(self, bench: Bench) -> None:
        """From one region into another moves it who may act in both."""
        await add(bench, "outlet")
        path = f"/v1/outlets/{OUTLET}"

        answers = [
            await bench.send("papua", "PATCH", path, region="biak"),
            await bench.send("even", "PATCH", path, groups=["north"]),
            await bench.send("papua", "PATCH", path, name="Toko"),
            await bench.send("east", "PATCH", path, region="biak"),
            await bench.send("papua", "PATCH", path, region="papua"),
        ]

        assert [403, 403, 200, 200, 403] == [answer.status for answer in answers]

    async def test_moves_a_terminal_only_with_both_places(self, bench: Bench) -> None:
        """Out of one's region is as far as into it."""
        await add(bench, "terminal")
        other = "BUMA00000000002"
        await bench.do("operator", "POST", "/v1/outlets", code=other, name="Toko", region="biak")

        answers = [
            await bench.send(login, "PATCH", "/v1/terminals/LSK00001", outlet=other)
            for login in ("papua", "east")
        ]
        back = await bench.send("papua", "PATCH", "/v1/terminals/LSK00001", outlet=OUTLET)

        assert [403, 200, 403] == [answer.status for answer in (*answers, back)]


class TestTwoPeople:
    async def test_needs_a_second_one_for_products(self, bench: Bench) -> None:
        """Nothing is in the registry before another person agreed, and not without a reason."""
        body = {**ADDED["product"], "reason": ""}
        without = await bench.send("admin", "POST", "/v1/products", **body)
        asked = await bench.send("admin", "POST", "/v1/products", **ADDED["product"])
        before = await bench.count()
        answer = await bench.approve(asked.body["proposal"])

        entry, version = await bench.entry("product/standard/20782")
        assert ("REASON_NEEDED", 202, 200) == (without.code, asked.status, answer.status)
        assert (before + 1, 100, 1) == (
            await bench.count(),
            entry.ceiling_minor if isinstance(entry, Product) else 0,
            version,
        )

    async def test_proposes_nothing_that_cannot_be(self, bench: Bench) -> None:
        """Whoever approves does not have to find the mistake."""
        answer = await bench.send(
            "admin", "POST", "/v1/products", code="standard", ceiling_minor=0, reason="new"
        )

        assert (422, "NOT_ALLOWED") == (answer.status, answer.code)

    async def test_is_void_when_the_product_changed(self, bench: Bench) -> None:
        """Another set that was agreed meanwhile changes what this one would follow."""
        await add(bench, "product")
        path = "/v1/products/standard"
        asked = await bench.do("admin", "PATCH", path, day_count=3, reason="first")
        await bench.agree("PATCH", path, in_force_from="2026-12-01", day_count=9)

        answer = await bench.approve(asked["proposal"])

        assert (409, "CHANGED_MEANWHILE") == (answer.status, answer.code)

    async def test_pauses_all_sets_of_a_product_by_one_person(self, bench: Bench) -> None:
        """Stopping needs nobody else; going on does, and next month's set waits as well."""
        await add(bench, "product")
        path = "/v1/products/standard"
        await bench.agree("PATCH", path, in_force_from="2026-12-01", day_count=9)
        paused = await bench.do("admin", "POST", f"{path}/pause", reason="a mistake")
        while_paused = await bench.do("operator", "GET", path)
        await bench.agree("POST", f"{path}/resume")
        shown = await bench.do("operator", "GET", path)

        assert "proposal" not in paused
        assert ["paused", "paused"] == [one["status"] for one in while_paused["sets"]]
        assert [("2026-11-25", 0), ("2026-12-01", 9)] == [
            (one["in_force_from"], one["day_count"]) for one in shown["sets"]
        ]
        assert ("active", 6) == (shown["status"], shown["version"])


class TestRaces:
    async def test_adds_one_of_two_at_once(self, bench: Bench) -> None:
        """The other one hears that it exists."""
        answers = await asyncio.gather(
            *[bench.send("operator", "POST", "/v1/outlets", **ADDED["outlet"]) for _ in range(4)]
        )

        assert [200, 409, 409, 409] == sorted(answer.status for answer in answers)
        assert 1 == (await bench.entry(f"outlet/{OUTLET}"))[1]

    async def test_pauses_once_of_two_at_once(self, bench: Bench) -> None:
        """The other one sees the state that the first one made."""
        await add(bench, "outlet")
        path = f"/v1/outlets/{OUTLET}/pause"

        answers = await asyncio.gather(
            *[bench.send("operator", "POST", path, reason="both") for _ in range(2)]
        )

        assert [200, 409] == sorted(answer.status for answer in answers)
        assert 2 == (await bench.entry(f"outlet/{OUTLET}"))[1]

    async def test_loses_no_change_of_two_at_once(self, bench: Bench) -> None:
        """Each builds on the version that it finds when its turn comes."""
        await add(bench, "outlet")
        path = f"/v1/outlets/{OUTLET}"

        versions = await asyncio.gather(
            bench.do("operator", "PATCH", path, name="Toko"),
            bench.do("operator", "PATCH", path, region="biak"),
            bench.do("operator", "PATCH", path, groups=["north"]),
        )

        entry, version = await bench.entry(f"outlet/{OUTLET}")
        assert isinstance(entry, Outlet)
        assert ([2, 3, 4], 4) == (sorted(one["version"] for one in versions), version)
        assert ("Toko", "biak", frozenset({"north"})) == (entry.name, entry.region, entry.groups)
