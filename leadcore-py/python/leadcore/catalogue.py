"""The fields of a lead as the tenant wants them."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from . import _leadcore
from .exceptions import InvalidError, Violation
from .models import FieldSpec

if TYPE_CHECKING:
    from .database import Database

__all__ = ["Catalogue"]


class Catalogue:
    """``db.catalogue``: which fields are required, disabled, relabelled, and in which order."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.catalogue``."""
        self._db = db

    def list(self) -> builtins.list[FieldSpec]:
        """Every field, in form order.

        >>> [spec.key for spec in db.catalogue.list() if spec.type == "email"]
        ['email']
        """
        return _leadcore.field_specs(self._db._session)

    def get(self, field: str) -> FieldSpec:
        """One field.

        >>> db.catalogue.get("tax_id").label
        'TIN'
        """
        for spec in self.list():
            if spec.key == field:
                return spec
        message = "there is no field with this key"
        raise InvalidError(message, violations=[Violation("field", "unknown", message)])

    def set(
        self,
        field: str,
        *,
        required: bool | None = None,
        enabled: bool | None = None,
        label: str | None = None,
        order: int | None = None,
    ) -> FieldSpec:
        """Change what the tenant says about a field; what is ``None`` stays. Leads that are there stay as they are.

        >>> db.catalogue.set("tax_id", label="Org. no.", required=True).required
        True
        """
        return _leadcore.field_update(self._db._session, field, required, enabled, label, order)
