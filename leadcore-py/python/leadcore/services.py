"""Services: what accounts buy, each one line with its price."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .arguments import compiled as _leadcore
from .estimate import Estimate
from .fields import checked
from .lines import LineRef, line_json
from .models import Page
from .opportunities import day_of, id_of
from .opportunity import SERVICE_KEYS, OpportunityRef, Service, ServiceInput, ServiceRef, ServiceState, service_of
from .subjects import SubjectRef, fields_json, identity, page_of, text_or_none

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database

__all__ = ["Services"]


def _service_fields(given: Mapping[str, Any]) -> str:
    said = checked(given, SERVICE_KEYS)
    for name in ("currency", "note"):
        text_or_none(name, said.get(name))
    if "line" in said:
        said["line"] = line_json(said["line"])
    for name in ("since", "until"):
        if name in said:
            said[name] = day_of(name, said[name])
    return fields_json(said)


class Services:
    """``db.services``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.services``."""
        self._db = db

    def create(
        self,
        subject: SubjectRef,
        line: LineRef,
        /,
        *,
        state: ServiceState = "active",
        estimate: Estimate | UUID | str | None = None,
        position: int | None = None,
        opportunity: OpportunityRef | None = None,
        **fields: Unpack[ServiceInput],
    ) -> Service:
        """Create a service of an account, or of the account that a lead became.

        Args:
            subject: The account, or the lead.
            line: What is bought.
            state: Whether it is bought from now on.
            estimate: The estimate that the line was copied from.
            position: The place of the line in it, from 0 on.
            opportunity: The opportunity that it was won with.
            fields: What else there is to say of it.

        Raises:
            ConflictError: For a lead that is not converted: see ``db.opportunities.create``.
            InvalidError: With every broken rule.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
            >>> _ = db.leads.convert(lead)
            >>> care = db.services.create(lead, leadcore.Line("Care", 12, 49, tax=25), since="2027-01-01")
            >>> care.total, care.currency, care.state
            (Decimal('735'), 'EUR', 'active')

        """
        text = _service_fields({**fields, "line": line})
        origin = id_of("estimate", estimate), position
        of = id_of("opportunity", opportunity)
        return self._one(_leadcore.service_create(self._db._session, subject, text, state, *origin, of))

    def get(self, service: ServiceRef) -> Service:
        """The service.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> care = db.services.create(lead, leadcore.Line("Care"))
        >>> db.services.get(care.id) == care
        True
        """
        return self._one(_leadcore.service_get(self._db._session, _service(service)[0]))

    def edit(self, service: ServiceRef, /, **changes: Unpack[ServiceInput]) -> Service:
        """Change some fields.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> care = db.services.create(lead, leadcore.Line("Care"))
        >>> db.services.edit(care, note="monthly", line={"description": "Care", "unit_price": 9}).total
        Decimal('9')
        """
        return self._one(_leadcore.service_edit(self._db._session, *_service(service), _service_fields(changes)))

    def activate(self, service: ServiceRef) -> Service:
        """It is bought from now on.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> db.services.activate(db.services.create(lead, leadcore.Line("Care"), state="inactive")).state
        'active'
        """
        return self._one(_leadcore.service_set_state(self._db._session, *_service(service), "active"))

    def deactivate(self, service: ServiceRef) -> Service:
        """It is bought no more, or not yet.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> db.services.deactivate(db.services.create(lead, leadcore.Line("Care"))).state
        'inactive'
        """
        return self._one(_leadcore.service_set_state(self._db._session, *_service(service), "inactive"))

    def delete(self, service: ServiceRef) -> None:
        """Delete it. One that is bought no more is rather made inactive. An undo brings it back.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> db.services.delete(db.services.create(lead, leadcore.Line("Care")))
        >>> len(db.services.of(lead))
        0
        """
        _leadcore.service_delete(self._db._session, *_service(service))

    def of(
        self,
        subject: SubjectRef,
        *,
        open: bool | None = None,  # noqa: A002 - it is what people call it
        ascending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Service]:
        """A page of the services of an account, or of a lead that became one, by their first day, the latest first.

        With ``open`` only those that are bought now, or with ``False`` the others.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> _ = db.services.create(lead, leadcore.Line("Care"))
        >>> [service.description for service in db.services.of(lead)]
        ['Care']
        """
        told = _leadcore.services_of(self._db._session, subject, open, ascending, after, limit)
        return page_of(told, service_of)

    def list(
        self,
        *,
        account: object = None,
        state: ServiceState | None = None,
        opportunity: OpportunityRef | None = None,
        estimate: Estimate | UUID | str | None = None,
        ascending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Service]:
        """A page of all services that the acting user may see, the latest made first unless ``ascending``.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> _ = db.services.create(lead, leadcore.Line("Care"))
        >>> len(db.services.list(state="active")), len(db.services.list(state="inactive"))
        (1, 0)
        """
        text_or_none("state", state)
        asked = {
            "account": id_of("account", account),
            "state": state,
            "opportunity": id_of("opportunity", opportunity),
            "estimate": id_of("estimate", estimate),
        }
        told = _leadcore.service_page(self._db._session, fields_json(asked), ascending, after, limit)
        return page_of(told, service_of)

    def _one(self, text: str) -> Service:
        return service_of(json.loads(text))


def _service(service: ServiceRef) -> tuple[Any, int | None]:
    return identity(service, Service, "service")
