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

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from . import _leadcore

__all__ = ["Permission", "Role", "RoleTable", "Visibility"]

Permission = Literal["view", "create", "edit", "delete", "convert", "import", "configure"]
"""What a grant is about."""

Visibility = Literal["own", "team", "team_and_unassigned", "all"]
"""On which leads: the user's own, those of its team, those and the ones without an owner, or all."""


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
        return Role({**self.grants, permission: on}, self.hidden)

    def hide(self, *fields: str) -> Role:
        """The same role without sight of these fields.

        >>> leadcore.Role.viewer().hide("number")
        Traceback (most recent call last):
        ...
        leadcore.exceptions.InvalidError: `hidden.number`: `number` is set by the engine and part of every record: it cannot be hidden
        """  # noqa: E501 - the message is one line
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
    """For each user the names of its roles, and its team."""

    def role(self, name: str, role: Role) -> RoleTable:
        """The same table with this role added or replaced."""
        return RoleTable({**self.roles, name: role}, self.users)

    def user(self, user: str, *roles: str, team: str | None = None) -> RoleTable:
        """The same table with this user added or replaced. Opening with a role that the table has not is refused."""
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
        roles = {
            name: Role(dict(role.get("grants", {})), tuple(role.get("hidden", ())))
            for name, role in data.get("roles", {}).items()
        }
        users = {name: (tuple(user.get("roles", ())), user.get("team")) for name, user in data.get("users", {}).items()}
        return cls(roles, users)
