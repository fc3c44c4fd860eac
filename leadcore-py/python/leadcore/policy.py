"""Who may do what: roles with grants, users with roles.

>>> roles = (
...     leadcore.RoleTable()
...     .role("sales", leadcore.Role.salesperson().hide("tax_id"))
...     .user("ada", "sales", team="north")
...     .user("bob", "sales", team="north")
... )
>>> db = leadcore.open(":memory:", user="ada", policy=roles)
>>> lead = db.leads.create(company="Nordlys AS")
>>> db.as_user("eve").leads.count()
Traceback (most recent call last):
...
leadcore.exceptions.DeniedError: not allowed to view
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .arguments import check
from .arguments import compiled as _leadcore
from .exceptions import refused

__all__ = ["Permission", "Role", "RoleTable", "Visibility"]

Permission = Literal["view", "create", "edit", "delete", "convert", "import", "export", "configure"]
"""What a grant is about."""

Visibility = Literal["own", "team", "team_and_unassigned", "all"]
"""On which leads: the user's own, those of its team, those and the ones without an owner, or all."""


def _one_of(path: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        near = difflib.get_close_matches(given, known, n=1)
        listed = ", ".join(f"`{one}`" for one in known)
        hint = "".join(f"; did you mean `{one}`?" for one in near)
        raise refused(path, "unknown", f"this is one of {listed}{hint}")


@dataclass(frozen=True)
class Role:
    """What a role may do: grants, and fields that it does not see. Each method returns a new role."""

    grants: dict[str, str] = field(default_factory=dict)
    """For each permission, on which leads."""
    hidden: tuple[str, ...] = ()
    """The keys of fields that are left out of records, and refused in filters, sorts and writes.

    No search finds a lead by what is hidden: it looks into the others of company, name, e-mail, phone and number. What
    the engine sets (``id``, ``number``, ``state`` …) is part of every record and cannot be hidden.
    """

    def __post_init__(self) -> None:
        """Refuse what cannot be hidden, where the role is made and not where it is used."""
        _leadcore.check_hidden(list(self.hidden))
        for permission, on in self.grants.items():
            _one_of(f"grants.{permission}", permission, get_args(Permission))
            _one_of(f"grants.{permission}", on, get_args(Visibility))

    @classmethod
    def _preset(cls, name: str) -> Role:
        data = json.loads(_leadcore.preset_role(name))
        return cls(data["grants"], tuple(data["hidden"]))

    @classmethod
    def manager(cls) -> Role:
        """Everything on all leads."""
        return cls._preset("manager")

    @classmethod
    def salesperson(cls) -> Role:
        """Sees the team's leads and those without owner; creates, edits and converts own ones."""
        return cls._preset("salesperson")

    @classmethod
    def viewer(cls) -> Role:
        """Sees everything, changes nothing."""
        return cls._preset("viewer")

    def grant(self, permission: Permission, on: Visibility) -> Role:
        """The same role with this grant instead of what it said about the permission."""
        check("permission", permission, str, "what the grant is about")
        check("on", on, str, "on which leads")
        _one_of("permission", permission, get_args(Permission))
        _one_of("on", on, get_args(Visibility))
        return Role({**self.grants, permission: on}, self.hidden)

    def hide(self, *fields: str) -> Role:
        """The same role without sight of these fields.

        >>> leadcore.Role.viewer().hide("number")
        Traceback (most recent call last):
        ...
        leadcore.exceptions.InvalidError: `hidden.number`: `number` is set by the engine and part of every record: it cannot be hidden
        """  # noqa: E501 - the message is one line
        for key in fields:
            check("fields", key, str, "keys of fields")
        return Role(self.grants, tuple(sorted({*self.hidden, *fields})))


@dataclass(frozen=True)
class RoleTable:
    """Users, their roles and teams, as data: keep it where your program keeps its users.

    A user with several roles has every grant of each; a field is hidden when every role of the user hides it. The
    program itself (no user) may do everything. Users without a role may do nothing, and only users of the table can
    own leads.
    """

    roles: dict[str, Role] = field(default_factory=dict)
    """The roles by name."""
    users: dict[str, tuple[tuple[str, ...], str | None]] = field(default_factory=dict)
    """For each user the names of its roles, and its team. A role that the table does not have grants nothing."""

    def role(self, name: str, role: Role) -> RoleTable:
        """The same table with this role added or replaced."""
        check("name", name, str, "text")
        check("role", role, Role, "a Role")
        return RoleTable({**self.roles, name: role}, self.users)

    def user(self, user: str, *roles: str, team: str | None = None) -> RoleTable:
        """The same table with this user added or replaced. Opening with a role that the table has not is refused."""
        check("user", user, str, "text")
        check("team", team, (str, type(None)), "the name of a team")
        return RoleTable(self.roles, {**self.users, user: (roles, team)})

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data."""
        return {
            "roles": {name: {"grants": role.grants, "hidden": list(role.hidden)} for name, role in self.roles.items()},
            "users": {name: {"roles": list(roles), "team": team} for name, (roles, team) in self.users.items()},
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RoleTable:
        """Read what :meth:`to_dict` gave."""
        check("data", data, Mapping, "the data of a role table")
        roles = {
            name: Role(dict(role.get("grants", {})), tuple(role.get("hidden", ())))
            for name, role in data.get("roles", {}).items()
        }
        users = {name: (tuple(user.get("roles", ())), user.get("team")) for name, user in data.get("users", {}).items()}
        return cls(roles, users)
