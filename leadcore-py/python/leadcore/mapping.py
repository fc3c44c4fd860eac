"""Which column of a file is which field, and how its cells are read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias, TypedDict, cast

from .arguments import check, several
from .arguments import compiled as _leadcore
from .exceptions import NotFoundError, refused
from .values import Record

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database

__all__ = ["ColumnProposal", "ColumnRules", "ImportColumn", "MappingInput", "Mappings", "SavedMapping"]


class ColumnRules(TypedDict, total=False):
    """How the cells of a column are read; what is not said is as the import's arguments say.

    The order of dates, the decimal mark, parts of one and the mark of lists are what the cells say, where they say it.
    """

    date_order: Literal["day_first", "month_first", "year_first"]
    """The order of dates that are all numbers. Without it a date that can be read in two ways rejects its line."""
    utc_offset: int
    """Minutes east of UTC, for times that name no zone."""
    decimal_mark: Literal["dot", "comma", "auto"]
    """The decimal mark of numbers and amounts."""
    unit: Literal["thousands", "millions", "fractions"]
    """What the numbers count; ``"fractions"`` of what is told in percent: ``0.25`` is 25."""
    region: str
    """Where national phone numbers of the column are dialled from."""
    yes: list[str]
    """Words that mean yes, beside the usual ones."""
    no: list[str]
    """Words that mean no."""
    no_answer: list[str]
    """Cells that count as empty, in the place of those of the import."""
    default: str
    """What a new lead gets where the cell is empty, or all cells that are joined."""
    split: str | dict[str, str]
    """``"family_first"`` of a full name, ``"address"`` for one line with a whole address, ``{"list": "|"}`` for several
    values, ``"external_ids"`` for ids behind the names of their systems, ``sap:78, web:9``."""
    join: str
    """Puts the cell behind what the columns to the left gave the same field, with this between them."""
    bad_values: Literal["reject", "leave_out"]
    """What becomes of a cell that the field cannot take: its line is rejected, or taken without it and told in
    ``left_out_values`` of the report."""
    opt_out: Literal["own", "all"]
    """The column of an e-mail or phone says who must not be reached: a yes marks every e-mail (or every phone) of the
    lead as opted out, with ``"all"`` both. A no and an empty cell take no mark off."""
    opt_in: bool
    """A no in a column of ``opt_out`` takes the mark off."""
    inverted: bool
    """The column of ``opt_out`` says it the other way round (``Subscribed``): a no marks, a yes does not."""
    invalid: bool
    """The column of ``opt_out`` says which addresses do not work (``Email bounced``): a yes marks those of the row."""


_RULES: Final = frozenset(ColumnRules.__annotations__)
_MOST_BESIDE: Final = 10_000
"""A file has fewer columns; what a stored report says is not believed."""


class ImportColumn(str):
    """The field that a column fills, with rules for its cells. It is the text of the field's key.

    >>> closing = leadcore.ImportColumn("expected_close", date_order="day_first")
    >>> closing == "expected_close", closing.rules
    (True, {'date_order': 'day_first'})
    """

    __slots__ = ("rules",)

    rules: ColumnRules
    """The rules."""

    def __new__(cls, field: str, **rules: Unpack[ColumnRules]) -> Self:
        """Name the field and the rules."""
        check("field", field, str, "the key of a field")
        unknown = set(rules) - _RULES
        if unknown:
            message = f"there is no rule `{min(unknown)}`; the rules are {', '.join(sorted(_RULES))}"
            raise refused("mapping", "unknown", message)
        self = super().__new__(cls, field)
        self.rules = rules
        return self

    def __repr__(self) -> str:
        if not self.rules:
            return super().__repr__()
        told = "".join(f", {key}={value!r}" for key, value in self.rules.items())
        return f"ImportColumn({str(self)!r}{told})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_column, (str(self), dict(self.rules)))


def _column(field: str, rules: dict[str, Any]) -> ImportColumn:
    return ImportColumn(field, **cast("ColumnRules", rules))


@dataclass(frozen=True)
class SavedMapping(Record):
    """A mapping that was saved by name."""

    name: str
    """Its name."""
    mapping: dict[str, str | None]
    """Which column is which field; a field with rules is an :class:`ImportColumn`."""
    constants: dict[str, str]
    """What every row has."""

    __hash__ = None  # type: ignore[assignment]


MappingInput: TypeAlias = Mapping[str, str | Mapping[str, Any] | None] | SavedMapping
"""Header to field: the key of a field, an :class:`ImportColumn`, a dictionary of ``field`` and rules, or ``None`` to
leave the column out; or a mapping of ``db.mappings``. Of several columns with one header ``Email`` is the first and
``Email (2)`` the second."""


@dataclass(frozen=True)
class ColumnProposal(Record):
    """What is proposed for a column, how sure that is, and why."""

    header: str
    """The header, as the file has it."""
    field: str | None
    """The field, an :class:`ImportColumn` where rules are proposed too; ``None`` where nothing fits."""
    confidence: float
    """How sure the proposal is, from 0 to 1."""
    evidence: tuple[str, ...]
    """Why: ``label``, ``word``, ``last_use``, ``values`` and the like; later versions may add some."""
    perhaps: tuple[str, float] | None = None
    """Where nothing is proposed: what it may be, and how sure that is."""
    notes: tuple[str, ...] = attribute(default=(), repr=False)
    """What a person should know, in words: dates that can be read in two ways, with their counts."""
    details: tuple[dict[str, Any], ...] = attribute(default=(), repr=False)
    """The notes as data."""

    __hash__ = None  # type: ignore[assignment]


def field_of(key: str | None, rules: Mapping[str, Any] | None) -> str | None:
    """The key, with its rules if there are any."""
    return _column(key, dict(rules)) if key is not None and rules else key


def mapping_of(given: Any) -> tuple[dict[str, str | None], dict[str, str]]:
    """Read what the compiled half says: columns and constants."""
    constants = given["constants"] if isinstance(given, dict) else []
    return noted_of(given, [])[0], {constant["field"]: constant["value"] for constant in constants}


def noted_of(
    given: Any, told: list[dict[str, Any]]
) -> tuple[dict[str, str | None], dict[str, tuple[dict[str, Any], ...]]]:
    """Read the columns and what is noted of those of the file, each under a name of its own."""
    # With constants it comes as an object.
    columns = given["columns"] if isinstance(given, dict) else given
    headers = [column["header"] for column in columns]
    known = Counter(headers)
    for note in told:
        # What is not mapped stands behind what is.
        beside = min(note["number"] - known[note["header"]], _MOST_BESIDE)
        if beside > 0:
            headers += [note["header"]] * beside
            known[note["header"]] += beside
    names = _leadcore.mapping_names(headers)
    by_header: dict[str, list[str]] = {}
    for header, name in zip(headers, names, strict=True):
        by_header.setdefault(header, []).append(name)
    mapped = {name: field_of(one["field"], one.get("rules")) for name, one in zip(names, columns, strict=False)}
    noted: dict[str, tuple[dict[str, Any], ...]] = {}
    for note in told:
        own = by_header[note["header"]]
        name = own[min(note["number"], len(own)) - 1]
        noted[name] = tuple(one if isinstance(one, dict) else {one: None} for one in note["notes"])
    return mapped, noted


def proposals_of(given: str, notes: list[list[str]]) -> tuple[ColumnProposal, ...]:
    """Read what the compiled half says."""
    return tuple(
        ColumnProposal(
            column["header"],
            field_of(column["field"], column.get("rules")),
            column["confidence"],
            tuple(one if isinstance(one, str) else next(iter(one)) for one in column["evidence"]),
            None if column.get("perhaps") is None else (column["perhaps"][0], column["perhaps"][1]),
            tuple(said),
            tuple(note if isinstance(note, dict) else {note: None} for note in column.get("notes", ())),
        )
        for column, said in zip(json.loads(given)["columns"], notes, strict=True)
    )


def columns_to(given: Any) -> list[dict[str, Any]]:
    """Write what the compiled half reads."""
    if isinstance(given, SavedMapping):
        given = given.mapping
    check("mapping", given, Mapping, "a mapping of column headers to keys of fields")
    columns = []
    for header, key in given.items():
        check("mapping", header, str, "a mapping of column headers to keys of fields")
        check("mapping", key, (str, Mapping, type(None)), "a mapping of column headers to keys of fields")
        if isinstance(key, Mapping):
            rules = dict(key)
            columns.append({"header": header, "field": rules.pop("field", None), "rules": rules})
        else:
            rules = dict(key.rules) if isinstance(key, ImportColumn) else {}
            columns.append({"header": header, "field": key, "rules": rules})
    return columns


def constants_to(given: Any) -> dict[str, str]:
    """Write what the compiled half reads."""
    check("constants", given, Mapping, "a mapping of keys of fields to texts")
    for key, value in given.items():
        check("constants", key, str, "a mapping of keys of fields to texts")
        check("constants", value, str, "a mapping of keys of fields to texts")
    return dict(given)


class Mappings:
    """``db.mappings``: which column is which field, kept by name. How a file was last imported is remembered anyway.

    A file with the headers of a saved mapping is proposed to be read so, with its constants, whatever was done since.
    Handed to an import as ``mapping=`` it keeps its constants beside ``constants=``, which win for their fields.
    """

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.mappings``."""
        self._db = db

    def list(self) -> tuple[SavedMapping, ...]:
        """Every saved mapping, by name.

        >>> db.mappings.list()
        ()
        """
        saved = json.loads(_leadcore.mapping_list(self._db._session))
        return tuple(SavedMapping(one["name"], *mapping_of(one["mapping"])) for one in saved)

    def get(self, name: str) -> SavedMapping:
        """The mapping of this name; :class:`NotFoundError` where there is none.

        >>> db.mappings.save("Fair", {"Kunde": "company"})
        >>> db.mappings.get("Fair").mapping
        {'Kunde': 'company'}
        """
        check("name", name, str, "text")
        for saved in self.list():
            if saved.name.casefold() == name.strip().casefold():
                return saved
        raise NotFoundError("`name`: there is no saved mapping of this name")

    def save(
        self,
        name: str,
        mapping: MappingInput,
        *,
        constants: Mapping[str, str] | None = None,
        headers: Iterable[str] | None = None,
    ) -> None:
        r"""Save a mapping under a name, for files with these headers; one of the same name is replaced.

        Args:
            name: What people call it, without regard to case.
            mapping: Which column is which field.
            constants: What every row has, by field.
            headers: The headers of the files that it is for; those of the mapping when not said.

        Example:
            >>> closing = leadcore.ImportColumn("expected_close", date_order="day_first")
            >>> db.mappings.save("Fair", {"Kunde": "company", "Slutt": closing}, constants={"source": "Fair"})
            >>> report = db.import_leads(b"Kunde,Slutt\nNordlys AS,3/4/2027\n", mapping=db.mappings.get("Fair"))
            >>> lead = db.leads.by_number(1)
            >>> str(lead.expected_close), lead.source.name
            ('2027-04-03', 'Fair')

        """
        columns = columns_to(mapping)
        if constants is None:
            constants = mapping.constants if isinstance(mapping, SavedMapping) else {}
        given = constants_to(constants)
        heads = None if headers is None else several("headers", headers, "texts")
        _leadcore.mapping_save(self._db._session, name, heads, _json("mapping", columns), _json("constants", given))

    def remove(self, name: str) -> None:
        """Remove the mapping of this name.

        >>> db.mappings.save("Fair", {"Kunde": "company"})
        >>> db.mappings.remove("Fair")
        """
        _leadcore.mapping_remove(self._db._session, name)


def _json(name: str, given: Any) -> str:
    try:
        return json.dumps(given, allow_nan=False)
    except (TypeError, ValueError):
        raise refused(name, "malformed", "this holds a value of a wrong type") from None
