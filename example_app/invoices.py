"""My invoices, from Cobot's API."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from cobot_oidc import require_user

from .answers import amount, currency, day
from .extensions import oidc


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a member has to pay, taxes included."""

    id: str
    number: str
    issued: date
    due: date
    is_paid: bool
    amount: Decimal
    currency: str

    def is_overdue(self, today: date) -> bool:
        """Whether it should have been paid by now."""
        return not self.is_paid and self.due < today


def mine() -> list[Invoice]:
    """The current user's own invoices at the request's space, the newest first; admins see everybody's at Cobot."""
    membership = require_user().membership
    found = [
        _read(invoice)
        for invoice in oidc.api.get("/api/invoices")
        if membership is not None and (invoice.get("membership") or {}).get("id") == membership.id
    ]
    return sorted(found, key=lambda invoice: invoice.issued, reverse=True)


def pdf(invoice_id: str) -> bytes:
    """The document itself. Cobot gives it to whom it belongs, and to admins.

    :raises APIError: ``not_found``.
    """
    return oidc.api.download(f"/api/invoices/{invoice_id}.pdf").content


def _read(invoice: dict[str, Any]) -> Invoice:
    total = invoice.get("total_amount") or {}
    return Invoice(
        id=invoice["id"],
        number=invoice["number"],
        issued=day(invoice.get("invoice_date")),
        due=day(invoice.get("due_date")),
        is_paid=invoice["paid_status"] == "paid",
        amount=amount(total.get("gross")),
        currency=currency(total.get("currency")),
    )
