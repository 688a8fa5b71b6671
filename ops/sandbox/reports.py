"""What the provider can be asked about the past: its ledger, settlements, payouts and events. These only read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from ops.sandbox.http import day, json_response, not_found, page
from ops.sandbox.settlements import lines_csv, payouts_csv

if TYPE_CHECKING:
    from starlette.requests import Request

    from ops.sandbox.processor import Processor
    from ops.sandbox.resources import Document


class Reports:
    """Handlers over one processor's books."""

    def __init__(self, processor: Processor) -> None:
        self._processor = processor

    async def ledger(self, request: Request) -> Response:
        """Every charge that took effect, in pages: `?reference=&after=&limit=`, with totals by currency."""
        self._processor.catch_up()
        reference = request.query_params.get("reference")
        after, row_limit = page(request)
        store = self._processor.store
        charges = store.charges(reference=reference, after=after, row_limit=row_limit)
        return json_response(
            {
                "object": "ledger",
                "charges": charges,
                "captured": store.captured_totals(reference=reference),
                "next_after": charges[-1]["position"] if len(charges) == row_limit else None,
            }
        )

    async def settlements(self, request: Request) -> Response:
        """Each day and currency with its totals: `?date=&currency=`."""
        self._processor.catch_up()
        date, currency = request.query_params.get("date"), request.query_params.get("currency")
        found = self._processor.balance.settlements(day(date) if date else None, currency)
        return json_response({"object": "list", "settlements": found})

    async def settlement(self, request: Request) -> Response:
        """One day in one currency, with its lines."""
        settlement, lines = self._settlement(request)
        return json_response({**settlement, "lines": lines})

    async def settlement_csv(self, request: Request) -> Response:
        """Its lines as CSV."""
        _, lines = self._settlement(request)
        return _csv(lines_csv(lines))

    def _settlement(self, request: Request) -> tuple[Document, list[Document]]:
        self._processor.catch_up()
        date, currency = day(request.path_params["date"]), request.path_params["currency"]
        found = self._processor.balance.settlements(date, currency)
        if not found:
            raise not_found("settlement")
        return found[0], self._processor.balance.lines(date, currency)

    async def payouts(self, _request: Request) -> Response:
        """All payouts."""
        self._processor.catch_up()
        return json_response({"object": "list", "payouts": self._processor.balance.payouts()})

    async def payouts_csv(self, _request: Request) -> Response:
        """All payouts as CSV."""
        self._processor.catch_up()
        return _csv(payouts_csv(self._processor.balance.payouts()))

    async def payout(self, request: Request) -> Response:
        """One payout."""
        self._processor.catch_up()
        found = self._processor.balance.payouts(request.path_params["id"])
        if not found:
            raise not_found("payout")
        return json_response(found[0])

    async def events(self, request: Request) -> Response:
        """What was told, in pages: `?after=&limit=`."""
        self._processor.catch_up()
        after, row_limit = page(request)
        told = self._processor.queue.told(after=after, row_limit=row_limit)
        return json_response(
            {
                "object": "list",
                "events": [one["event"] for one in told],
                "next_after": told[-1]["position"] if len(told) == row_limit else None,
            }
        )


def _csv(text: str) -> Response:
    return Response(text, media_type="text/csv; charset=utf-8; header=present")
