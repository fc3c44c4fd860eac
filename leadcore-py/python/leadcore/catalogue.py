"""The fields of leads as the tenant wants them, and those that it added to other records."""

from __future__ import annotations

import builtins
import dataclasses
import difflib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, get_args

from .arguments import check, several
from .arguments import compiled as _leadcore
from .exceptions import NotFoundError, refused
from .fields import FIELD_KEYS, FieldInput, FieldsOf, checked
from .models import Choice, FieldSpec, FormSection, Section

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database

__all__ = ["Catalogue"]


class Catalogue:
    """``db.catalogue``: which fields are required, disabled, relabelled, in which order, and which the tenant added.

    It is that of leads; :meth:`of` gives those of accounts, contacts and opportunities.
    """

    __slots__ = ("_db", "_kind")

    def __init__(self, db: Database, kind: FieldsOf = "lead") -> None:
        """Use ``db.catalogue``."""
        self._db = db
        self._kind = kind

    @property
    def kind(self) -> FieldsOf:
        """Whose fields: ``lead``, ``account``, ``contact`` or ``opportunity``."""
        return self._kind

    def of(self, kind: FieldsOf) -> Catalogue:
        """The fields of these records: of accounts, contacts and opportunities, those that the tenant added to them.

        What a lead says in a custom field goes with a conversion into the field of the same key.

        >>> fleet = {"label": "Fleet", "type": "integer"}
        >>> _ = db.catalogue.add_field("x_fleet", **fleet)
        >>> _ = db.catalogue.of("account").add_field("x_fleet", **fleet, help="How many cars they have.")
        >>> outcome = db.leads.convert(db.leads.create(company="Nordlys AS", x_fleet=40))
        >>> account = db.accounts.get(outcome.account_id)
        >>> account.x_fleet, db.accounts.edit(account, x_fleet=41).custom["x_fleet"]
        (40, 41)
        """
        check("kind", kind, str, "`lead`, `account`, `contact` or `opportunity`")
        if kind not in get_args(FieldsOf):
            raise refused("kind", "unknown", "fields are those of a `lead`, `account`, `contact` or `opportunity`")
        return Catalogue(self._db, kind)

    def list(self) -> builtins.list[FieldSpec]:
        """Every field, in form order.

        >>> [spec.key for spec in db.catalogue.list() if spec.type == "email"]
        ['email']
        """
        return _leadcore.field_specs(self._db._session, self._kind)

    def get(self, field: str) -> FieldSpec:
        """One field.

        >>> db.catalogue.get("tax_id").label
        'TIN'
        """
        check("field", field, str, "the key of a field")
        for spec in self.list():
            if spec.key == field:
                return spec
        near = difflib.get_close_matches(field, [spec.key for spec in self.list()], n=1)
        message = "there is no field with this key" + "".join(f"; did you mean `{key}`?" for key in near)
        raise refused("field", "unknown", message)

    def set(
        self,
        field: str,
        *,
        required: bool | None = None,
        enabled: bool | None = None,
        label: str | None = None,
        order: int | None = None,
        section: str | None = None,
    ) -> FieldSpec:
        """Change what the tenant says about a field; what is ``None`` stays. Records that are there stay as they are.

        >>> db.catalogue.set("tax_id", label="Org. no.", section="identity", required=True).required
        True
        """
        return _leadcore.field_update(self._db._session, self._kind, field, required, enabled, label, order, section)

    def add_field(self, key: str, **definition: Unpack[FieldInput]) -> FieldSpec:
        """Add a field to the leads of the tenant, or to the records that the catalogue is of.

        The key begins with ``x_`` and stays for ever.

        Raises:
            InvalidError: With everything that is wrong at once: ``x_budget.min``, ``x_budget.default`` …

        Example:
            >>> budget = db.catalogue.add_field("x_budget", label="Budget", type="money", currency="NOK", min=0)
            >>> lead = db.leads.create(company="Nordlys AS", x_budget=1000)
            >>> lead.x_budget, lead.custom["x_budget"].amount
            (Money(amount=Decimal('1000'), currency='NOK'), Decimal('1000'))
            >>> db.leads.count(where=leadcore.F.x_budget >= 500)
            1
            >>> sizes = {"s": "Small", "l": "Large"}
            >>> size = db.catalogue.add_field("x_size", type="one_of", choices=sizes, default="s")
            >>> db.leads.create(company="Fjord AS").x_size
            's'

        """
        fields, choices = _definition(definition)
        return _leadcore.field_add(self._db._session, self._kind, key, fields, choices)

    def change_field(
        self,
        key: str,
        *,
        mapping: Mapping[str, str | None] | None = None,
        clear_rest: bool = False,
        **changes: Unpack[FieldInput],
    ) -> FieldSpec:
        """Change the definition of a custom field; what is not given stays.

        Values of records that the changed field takes stay, and those that it can hold without loss are converted. Any
        other refuses the change, unless it is said what becomes of it.

        Args:
            key: Which field.
            mapping: Of choices: records with this code get that one, or none for ``None``.
            clear_rest: Whether values that can be neither kept nor converted are emptied.
            **changes: What to change.

        Raises:
            InvalidError: With everything that is wrong at once.
            ConflictError: When records have values and it is not said what becomes of them; ``conflict["by"]`` says how
                many.

        Example:
            >>> _ = db.catalogue.add_field("x_size", type="one_of", choices=["s", "m", "l"])
            >>> lead = db.leads.create(company="Nordlys AS", x_size="m")
            >>> _ = db.catalogue.change_field("x_size", choices=["s", "l"], mapping={"m": "l"})
            >>> db.leads.get(lead).x_size
            'l'

        """
        fields, choices = _definition(changes)
        check("mapping", mapping, (Mapping, type(None)), "a mapping of codes to codes")
        pairs = [] if mapping is None else builtins.list(mapping.items())
        return _leadcore.field_change(self._db._session, self._kind, key, fields, choices, pairs, clear_rest)

    def remove_field(self, key: str, *, clear: bool = False) -> None:
        """Take a custom field away; with ``clear`` also the values that records have, which refuse it otherwise.

        To keep the values and only stop using the field, disable it: ``set(key, enabled=False)``. A field that a rule
        of the conversion mapping names is refused until the rule is gone.

        >>> _ = db.catalogue.add_field("x_seats", type="integer")
        >>> db.catalogue.remove_field("x_seats")
        >>> [spec.key for spec in db.catalogue.list() if spec.custom]
        []
        """
        _leadcore.field_remove(self._db._session, self._kind, key, clear)

    def archive_choice(self, key: str, code: str, archived: bool = True) -> FieldSpec:
        """Stop offering a choice, or offer it again. Records that have it keep it.

        >>> _ = db.catalogue.add_field("x_size", type="one_of", choices=["s", "m"])
        >>> [choice.code for choice in db.catalogue.archive_choice("x_size", "m").choices if not choice.archived]
        ['s']
        """
        check("key", key, str, "the key of a field")
        check("code", code, str, "the code of a choice")
        check("archived", archived, bool, "True or False")
        with self._db.transaction():
            choices = self.get(key).choices
            if code not in {choice.code for choice in choices}:
                raise NotFoundError("choice not found")
            changed = [
                dataclasses.replace(choice, archived=archived) if choice.code == code else choice for choice in choices
            ]
            return self.change_field(key, choices=changed)

    def sections(self) -> builtins.list[Section]:
        """Every section of the form, in order.

        >>> [section.key for section in db.catalogue.sections()][:3]
        ['identity', 'reach', 'address']
        """
        return _leadcore.section_list(self._db._session, self._kind)

    def set_section(self, key: str, *, label: str | None = None, order: int | None = None) -> Section:
        """Add a section, or change the name and place of one; what is ``None`` stays.

        >>> db.catalogue.set_section("project", label="Project", order=15)
        Section(key='project', label='Project')
        >>> _ = db.catalogue.add_field("x_seats", type="integer", section="project")
        """
        return _leadcore.section_set(self._db._session, self._kind, key, label, order)

    def remove_section(self, key: str) -> None:
        """Take a section away in which no field stands, or give a standard one its own name and place back.

        >>> _ = db.catalogue.set_section("reach", label="Contact")
        >>> db.catalogue.remove_section("reach")
        >>> db.catalogue.sections()[1].label
        'How to reach'
        """
        _leadcore.section_remove(self._db._session, self._kind, key)

    def columns(self) -> builtins.list[FieldSpec]:
        """The columns of lists of leads, from left to right, where a view does not choose its own.

        >>> [spec.label for spec in db.catalogue.columns()][:2]
        ['Lead number', 'Company']
        """
        self._of_leads("columns")
        return _leadcore.columns_list(self._db._session)

    def set_columns(self, fields: Iterable[str] | None) -> None:
        """Choose the columns of lists by the keys of their fields; ``None`` goes back to the standard ones.

        >>> db.catalogue.set_columns(["company", "stage", "amount"])
        >>> [spec.key for spec in db.views.open("all").columns]
        ['company', 'stage', 'amount']
        """
        self._of_leads("fields")
        _leadcore.columns_set(
            self._db._session, None if fields is None else several("fields", fields, "several keys of fields")
        )

    def form(self) -> builtins.list[FormSection]:
        """The form: its sections in order, each with the fields that people fill in.

        >>> [spec.label for spec in db.catalogue.form()[1].fields]
        ['E-mail', 'Phone', 'Website']
        """
        return _leadcore.form(self._db._session, self._kind)

    def json_schema(self) -> dict[str, Any]:
        """A JSON Schema (draft 2020-12) of what people fill in, for generated forms and programs that send leads.

        >>> db.catalogue.json_schema()["properties"]["city"]
        {'title': 'City', 'type': 'string'}
        """
        schema: dict[str, Any] = json.loads(_leadcore.form_schema(self._db._session, self._kind))
        return schema

    def _of_leads(self, argument: str) -> None:
        if self._kind != "lead":
            raise refused(argument, "not_allowed", "only lists of leads have columns of the tenant's choice")


def _definition(given: Mapping[str, Any]) -> tuple[dict[str, Any], builtins.list[tuple[str, str, int, bool]] | None]:
    """The arguments, with the choices in one form."""
    fields = checked(given, FIELD_KEYS)
    choices = fields.pop("choices", None)
    if choices is None:
        return fields, None
    items = choices.items() if isinstance(choices, Mapping) else several("choices", choices, "several choices")
    return fields, [_choice(choice) for choice in items]


def _choice(choice: Any) -> tuple[str, str, int, bool]:
    if isinstance(choice, Choice):
        return (choice.code, str(choice), choice.order, choice.archived)
    if isinstance(choice, str):
        return (choice, choice, 0, False)
    if isinstance(choice, (tuple, builtins.list)) and len(choice) == 2:
        return (choice[0], choice[1], 0, False)
    message = "a choice is a Choice, a code, or (code, label)"
    raise refused("choices", "malformed", message)
