"""Whatever goes by a name is found with the command that explains it, and that command works."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from handlers.journals.model import journal_uuid_of
from tests.books import LEDGER, approve, credited, held, journal, opened
from tests.consumers import test_disputes as disputes
from tests.consumers.test_refunds import policy, refund
from tests.engines import feeds
from tests.ops.inspect.test_explain_aftersales import WEBHOOK_ID, keep_webhook
from tests.shop import TENANT

if TYPE_CHECKING:
    from tests.conftest import Connection, Database
    from tests.ops.inspect.conftest import PointedAt


async def test_every_name_leads_to_a_command_that_explains_it(
    database: Database, admin: Connection, pointed_at: PointedAt
) -> None:
    async with disputes.desks(database.app_url) as desk, feeds(database.app_url, 1, LEDGER) as (books,):
        await desk.pay("o1")
        await desk.shop.take(policy(), refund("re-1", "o1", 10))
        await keep_webhook(admin)
        await desk.webhooks.take(disputes.report("needs_response", 0, name="w1"))
        await books.take(opened())
        await books.take(credited("c1", 700), held("h1", 200), journal("j1"))
        await books.take(journal("j2", references={"ticket": "T-9"}), approve("j2"))
    deed_id = await admin.fetchval("SELECT object_id FROM entries WHERE rule LIKE 'wallet_credited%'")
    cli = pointed_at(database)
    names = {
        "re-1": "refund",
        "dp_o1": "dispute",
        "j1": "journal",
        str(journal_uuid_of(TENANT, "j1")): "journal",
        "h1": "hold",
        "cus_7": "wallet",
        deed_id: "entry",
        str(WEBHOOK_ID): "event",
        "c1": "event",
        "T-9": "entry",
    }
    for name, kind in names.items():
        (found,) = await cli.json("find", name)
        assert found["kind"] == kind, name
        shown = await cli.out("find", name)
        command = shown[shown.index("counterfoil explain") :].split("│")[0].strip()
        assert await cli.out(*shlex.split(command)[1:]), command
        await cli.run("find", name, "--tenant", "zeta", code=1)
    (payment,) = await cli.json("find", "o1")
    assert (payment["kind"], payment["found_by"]) == ("payment", "order_id")
    await cli.run("find", "\udce4", code=1)
