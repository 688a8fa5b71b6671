"""What entries are posted for: payments, refunds, disputes, journals, holds; each as one sentence with its facts.

How an object of a kind is told is one function of its row; all objects of a kind are loaded by one query.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from db.queries import explain as sql
from ops.inspect.node import Node
from ops.inspect.words import advice, amount, moment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    import asyncpg

    from db.connection import Connection

Name = tuple[str, str, str]
"""(tenant, object type, object id)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: how many are loaded at once, how one is told, and its details for a story of its own."""

    load: Callable[..., Awaitable[list[Any]]]
    told: Callable[[Any], str]
    facts: tuple[str, ...]
    details: Callable[[Any], tuple[Node, ...]]

    def node(self, row: asyncpg.Record, children: tuple[Node, ...] = ()) -> Node:
        """The object."""
        kind = next(name for name, one in KINDS.items() if one is self)
        return Node(kind, self.told(row), {name: row[name] for name in self.facts}, children)


async def load_objects(connection: Connection, names: Iterable[Name]) -> dict[Name, Node]:
    """A sentence for each object of these that has a table, with the command that tells more."""
    wanted: defaultdict[str, set[tuple[str, UUID]]] = defaultdict(set)
    for tenant, kind, object_id in names:
        if kind in KINDS and (uuid := uuid_of(object_id)) is not None:
            wanted[kind].add((tenant, uuid))
    told: dict[Name, Node] = {}
    for kind, objects in wanted.items():  # one query for each kind
        tenants, object_ids = zip(*objects, strict=True)
        rows = await KINDS[kind].load(connection, tenants=list(set(tenants)), object_ids=object_ids)
        there = {(row["tenant"], row["object_id"]): row for row in rows}
        for tenant, uuid in objects:
            row = there.get((tenant, uuid))
            hint = Node("hint", f"counterfoil explain {kind} {uuid}")
            told[tenant, kind, str(uuid)] = (
                missing_object(kind, str(uuid)) if row is None else KINDS[kind].node(row, (hint,))
            )
    return told


def missing_object(kind: str, object_id: str) -> Node:
    """Something was posted for it, and it is gone."""
    return Node(
        "missing",
        f"{kind} {object_id}: NOT there, though something was posted for it",
        {"object_id": object_id},
    )


def uuid_of(name: str) -> UUID | None:
    """The name as a UUID, if it is one."""
    try:
        return UUID(name)
    except ValueError:
        return None


def _standing(row: Any) -> str:
    return f"{row['state']}, version {row['version']}, since {moment(row['updated_at'])}"


def _reason(row: Any) -> tuple[Node, ...]:
    return (Node("reason", f"{row['reason']}: {advice(row['reason'])}"),) if row["reason"] is not None else ()


def _payment_told(row: Any) -> str:
    return (
        f"payment {row['payment_id']} of order {row['order_id']} at merchant {row['merchant_id']} "
        f"({row['tenant']}): {_standing(row)}"
    )


def _payment_details(row: Any) -> tuple[Node, ...]:
    """The amounts in words; what the payment waits for; why it was last refused."""

    def money(name: str) -> str:
        return amount(row[name], row["currency"])

    rate = f"{(Decimal(row['fee_bps']) / 100).normalize():f}% + {money('fee_fixed_minor')} a capture"
    nodes = [
        Node(
            "amounts",
            f"{money('amount_minor')} asked, {money('authorized_minor')} authorized, "
            f"{money('captured_minor')} captured by {row['method'] or 'no method yet'}",
        ),
        Node(
            "fee",
            f"fee {money('fee_minor')}: {rate}, schedule version {row['fee_version']}, "
            f"rounded {row['fee_rounding']}",
        ),
    ]
    back = {"on their way": "refunding_minor", "refunded": "refunded_minor", "disputed": "disputed_minor"}
    given = ", ".join(f"{money(name)} {what}" for what, name in back.items() if row[name])
    if given:
        nodes.append(Node("back", f"of that {given}"))
    if row["call_id"] is not None:
        doubt = "" if row["certain"] else "; its outcome is unknown, and is being asked for"
        nodes.append(Node("wait", f"waits for {row['provider']} to {row['call_operation']}{doubt}"))
    return (*nodes, *_reason(row))


def _refund_told(row: Any) -> str:
    return (
        f"refund {row['refund_id']} ({row['object_id']}) of order {row['order_id']} ({row['tenant']}), "
        f"{amount(row['amount_minor'], row['currency'])}: {_standing(row)}; {_refund_people(row)}"
    )


def _refund_people(row: Any) -> str:
    asked = f"asked for by {row['requested_by']} ({row['requested_role']})"
    if row["approved_by"] is not None:
        return f"{asked}, approved by {row['approved_by']}"
    if row["needs_approval_of"] is not None:
        return f"{asked}, needs approval of {row['needs_approval_of']}, approved by nobody"
    return f"{asked}, needs no approval"


def _refund_details(row: Any) -> tuple[Node, ...]:
    def money(name: str) -> str:
        return amount(row[name], row["currency"])

    fee = f"{money('fee_returned_minor')} of our fee goes back with it ({row['fee_policy']})"
    aside = f"; {money('suspense_minor')} of it is in suspense" if row["suspense_minor"] else ""
    policy = f"policy version {row['policy_version']}" if row["policy_version"] else "made at the provider"
    nodes = [
        Node("amounts", f"{money('amount_minor')} to {row['destination']}; {fee}{aside}"),
        Node(
            "people",
            f"{_refund_people(row)}, {moment(row['requested_at'])}: {row['cause']}, judged by {policy}"
            + (f"; {row['note']}" if row["note"] else ""),
        ),
    ]
    if row["provider"] is not None:
        known = f" as {row['provider_reference']}" if row["provider_reference"] else ""
        doubt = "" if row["certain"] else "; what became of it is unknown, and is being asked for"
        nodes.append(Node("provider", f"given back by {row['provider']}{known}{doubt}"))
    return (*nodes, *_reason(row))


def _dispute_told(row: Any) -> str:
    return (
        f"dispute {row['dispute_reference']} ({row['object_id']}) of order {row['order_id']} ({row['tenant']}), "
        f"{amount(row['amount_minor'], row['currency'])}: {_standing(row)}; {row['stage']}, {row['standing']}"
    )


def _dispute_details(row: Any) -> tuple[Node, ...]:
    def money(name: str) -> str:
        return amount(row[name], row["currency"])

    due = f", answer by {moment(row['evidence_due_at'])}" if row["evidence_due_at"] is not None else ""
    nodes = [
        Node(
            "amounts",
            f"{money('amount_minor')} disputed, {money('withdrawn_minor')} withdrawn; the provider charged "
            f"{money('fee_minor')}, of which {money('fee_passed_minor')} are the merchant's",
        ),
        Node(
            "provider",
            f"{row['provider']} reported {row['reported_status']}, {moment(row['reported_at'])}; "
            f"the network's reason {row['network_reason'] or 'is not told'}{due}",
        ),
    ]
    if row["call_id"] is not None:
        doubt = "" if row["certain"] else "; its outcome is unknown, and is being asked for"
        nodes.append(Node("wait", f"waits for {row['provider']} to {row['call_operation']}{doubt}"))
    return (*nodes, *_reason(row))


def _journal_told(row: Any) -> str:
    decided = {"posted": "approved by", "refused": "refused by"}.get(row["state"])
    end = f", {decided} {row['decided_by']}" if decided and row["decided_by"] is not None else ""
    return (
        f"{row['kind']} journal {row['journal_id']} ({row['object_id']}, {row['tenant']}): {_standing(row)}; "
        f"proposed by {row['proposed_by']} ({row['proposed_role']}){end}: {row['note']}"
    )


def _journal_details(row: Any) -> tuple[Node, ...]:
    debits = {name.split("/")[0]: minor for name, minor in row["sums"].items() if name.endswith("/debit")}
    moved = ", ".join(amount(minor, currency) for currency, minor in sorted(debits.items()))
    came = f"in {row['parts']} parts" if row["parts"] > 1 else "in one message"
    when = moment(row["effective_at"]) if row["effective_at"] is not None else "when it is approved"
    nodes = [
        Node("amounts", f"{row['legs']:,} legs {came}, {moved or 'nothing'} on each side, effective {when}")
    ]
    if row["lines_there"] != row["legs"]:
        text = f"of its {row['legs']:,} legs {row['lines_there']:,} are there: this breaks law 9"
        nodes.append(Node("missing", text))
    if row["state"] in {"collecting", "proposed"}:
        nodes.append(Node("wait", f"waits for {row['needs_approval_of']} until {moment(row['act_by'])}"))
    if row["terms"]:
        nodes.append(Node("terms", _terms_told(row), dict(row["terms"])))
    if row["reverses_object"] is not None:
        nodes.append(
            Node("reverses", f"takes back entry {row['reverses_number']} of {row['reverses_object']}")
        )
    if row["external_references"]:
        named = ", ".join(f"{name} {value}" for name, value in sorted(row["external_references"].items()))
        nodes.append(Node("references", named, dict(row["external_references"])))
    return (*nodes, *_reason(row))


def _terms_told(row: Any) -> str:
    """A conversion's rate, where it is from, and what rounding made of it."""
    terms: Mapping[str, str] = row["terms"]
    bought = (row["pair"] or "/").split("/")[1]
    by_rate, difference = int(terms["by_rate_minor"]), int(terms["difference_minor"])
    rounding = (
        f"{amount(abs(difference), bought)} {'more' if difference > 0 else 'less'} arrived: the rounding difference"
        if difference
        else "there is no rounding difference"
    )
    return (
        f"rate {terms['rate']} of {terms['rate_source']}, {terms['rate_at']}: exactly {terms['exact_minor']} minor "
        f"units, {amount(by_rate, bought)} rounded {terms['rounding']}; {rounding}"
    )


def _hold_told(row: Any) -> str:
    return (
        f"hold {row['hold_id']} ({row['object_id']}) of wallet {row['wallet']} ({row['tenant']}), "
        f"{amount(row['amount_minor'], row['currency'])}: {_standing(row)}; placed by {row['placed_by']}"
    )


def _hold_details(row: Any) -> tuple[Node, ...]:
    parts = [
        f"{amount(int(part['amount_minor']), row['currency'])} of {part['account']} of {part['owner']}"
        for part in row["parts"]
    ]
    kept = f"still keeps {', '.join(parts)}" if parts else "keeps nothing any more"
    text = (
        f"{amount(row['amount_minor'], row['currency'])} placed {moment(row['placed_at'])}, "
        f"{amount(row['posted_minor'], row['currency'])} posted; {kept}; until {moment(row['expires_at'])}"
    )
    return (Node("amounts", text, {"parts": row["parts"]}), *_reason(row))


_COMMON: Final = (
    "tenant",
    "object_id",
    "state",
    "version",
    "currency",
    "amount_minor",
    "reason",
    "updated_at",
)

KINDS: Final[dict[str, Kind]] = {
    "payment": Kind(
        sql.payments_of,
        _payment_told,
        (
            "tenant",
            "payment_id",
            "order_id",
            "merchant_id",
            "customer_id",
            "state",
            "version",
            "currency",
            "amount_minor",
            "authorized_minor",
            "captured_minor",
            "fee_minor",
            "refunding_minor",
            "refunded_minor",
            "disputed_minor",
            "method",
            "provider",
            "provider_reference",
            "call_id",
            "certain",
            "reason",
            "updated_at",
        ),
        _payment_details,
    ),
    "refund": Kind(
        sql.refunds_of,
        _refund_told,
        (
            *_COMMON,
            "refund_id",
            "payment_id",
            "order_id",
            "merchant_id",
            "suspense_minor",
            "fee_returned_minor",
            "destination",
            "cause",
            "requested_by",
            "requested_role",
            "needs_approval_of",
            "approved_by",
            "provider",
            "provider_reference",
            "certain",
        ),
        _refund_details,
    ),
    "dispute": Kind(
        sql.disputes_of,
        _dispute_told,
        (
            *_COMMON,
            "dispute_reference",
            "payment_id",
            "order_id",
            "merchant_id",
            "provider",
            "stage",
            "standing",
            "withdrawn_minor",
            "fee_minor",
            "fee_passed_minor",
            "network_reason",
            "evidence_due_at",
            "evidence_sha256",
            "reported_status",
            "reported_at",
        ),
        _dispute_details,
    ),
    "journal": Kind(
        sql.journals_of,
        _journal_told,
        (
            "tenant",
            "object_id",
            "journal_id",
            "kind",
            "state",
            "version",
            "note",
            "effective_at",
            "parts",
            "legs",
            "sums",
            "terms",
            "external_references",
            "reverses_object",
            "reverses_number",
            "needs_approval_of",
            "proposed_by",
            "proposed_role",
            "decided_by",
            "reason",
            "act_by",
            "updated_at",
        ),
        _journal_details,
    ),
    "hold": Kind(
        sql.holds_of,
        _hold_told,
        (*_COMMON, "hold_id", "wallet", "posted_minor", "parts", "placed_by", "expires_at", "placed_at"),
        _hold_details,
    ),
}
"""By object type; what else is posted for (a wallet's deeds) has no table of its own."""
