//! A ready-made policy: users have roles, roles have grants.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::{Actor, Field, FieldValue};
use crate::id::UserId;
use crate::query::{Filter, Operator};

use super::{Permission, Policy, Scope};

/// How far a grant reaches (X.51).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Leads that the user owns.
    Own,
    /// Leads that the user or somebody of the same team owns.
    Team,
    /// Own and team leads, and those without an owner.
    TeamAndUnassigned,
    /// All leads of the tenant.
    All,
}

/// What a role may do.
///
/// ```
/// use leadcore::policy::{Permission, Role, Visibility};
/// let clerk = Role::new().grant(Permission::View, Visibility::All).grant(Permission::Edit, Visibility::Own);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Role {
    grants: BTreeMap<Permission, Visibility>,
    hidden: BTreeSet<Field>,
}

impl Role {
    /// A role that may do nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything on all leads.
    #[must_use]
    pub fn manager() -> Self {
        Permission::ALL
            .into_iter()
            .fold(Self::new(), |role, permission| role.grant(permission, Visibility::All))
    }

    /// Sees the team's leads and those without owner; creates, edits and converts own ones.
    #[must_use]
    pub fn salesperson() -> Self {
        Self::new()
            .grant(Permission::View, Visibility::TeamAndUnassigned)
            .grant(Permission::Create, Visibility::Own)
            .grant(Permission::Edit, Visibility::Own)
            .grant(Permission::Convert, Visibility::Own)
    }

    /// Sees everything, changes nothing.
    #[must_use]
    pub fn viewer() -> Self {
        Self::new().grant(Permission::View, Visibility::All)
    }

    /// Adds a grant; a wider one that is there already stays.
    #[must_use]
    pub fn grant(mut self, permission: Permission, visibility: Visibility) -> Self {
        let slot = self.grants.entry(permission).or_insert(visibility);
        *slot = (*slot).max(visibility);
        self
    }

    /// Hides a field.
    #[must_use]
    pub fn hide(mut self, field: Field) -> Self {
        self.hidden.insert(field);
        self
    }
}

/// Users, their roles and teams. A user with several roles has every grant of each; a field is hidden when every
/// role of the user hides it. [`Actor::System`] may do everything. Users without a role may do nothing, and only
/// users of the table can own leads.
///
/// ```
/// use leadcore::policy::{Role, RoleTable};
/// let table = RoleTable::new()
///     .role("sales", Role::salesperson())
///     .user(&"ada".parse()?, &["sales"], Some("north"))
///     .user(&"bob".parse()?, &["sales"], Some("north"));
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoleTable {
    roles: BTreeMap<String, Role>,
    users: BTreeMap<UserId, Member>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Member {
    roles: BTreeSet<String>,
    team: Option<String>,
}

impl RoleTable {
    /// No role, no user.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a role.
    #[must_use]
    pub fn role(mut self, name: &str, role: Role) -> Self {
        self.roles.insert(name.to_owned(), role);
        self
    }

    /// Adds or replaces a user.
    #[must_use]
    pub fn user(mut self, user: &UserId, roles: &[&str], team: Option<&str>) -> Self {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.users.insert(user.clone(), Member { roles, team: team.map(str::to_owned) });
        self
    }

    fn roles_of(&self, user: &UserId) -> impl Iterator<Item = &Role> {
        let names = self.users.get(user).map(|member| &member.roles);
        names.into_iter().flatten().filter_map(|name| self.roles.get(name))
    }

    fn team_mates(&self, user: &UserId) -> Vec<FieldValue> {
        let team = self.users.get(user).and_then(|member| member.team.as_ref());
        let mates = self
            .users
            .iter()
            .filter(|(other, member)| *other == user || (team.is_some() && member.team.as_ref() == team));
        mates.map(|(mate, _)| mate.clone().into()).collect()
    }
}

impl Policy for RoleTable {
    fn scope(&self, actor: &Actor, permission: Permission) -> Scope {
        let Actor::User(user) = actor else { return Scope::All };
        let widest = self.roles_of(user).filter_map(|role| role.grants.get(&permission)).max();
        let team = || Filter::new(Field::Owner, Operator::In, FieldValue::List(self.team_mates(user)));
        match widest {
            None => Scope::None,
            Some(Visibility::All) => Scope::All,
            Some(Visibility::Own) => Scope::Where(Filter::eq(Field::Owner, user.clone())),
            Some(Visibility::Team) => Scope::Where(team()),
            Some(Visibility::TeamAndUnassigned) => {
                Scope::Where(team() | Filter::new(Field::Owner, Operator::IsEmpty, true))
            }
        }
    }

    fn is_hidden(&self, actor: &Actor, field: &Field) -> bool {
        match actor {
            Actor::System => false,
            Actor::User(user) => self.roles_of(user).all(|role| role.hidden.contains(field)),
        }
    }

    fn may_own(&self, _: &Actor, owner: &UserId) -> bool {
        self.users.contains_key(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> RoleTable {
        RoleTable::new()
            .role("sales", Role::salesperson().hide(Field::TaxId))
            .role("boss", Role::manager())
            .user(&"ada".parse().unwrap(), &["sales"], Some("north"))
            .user(&"bob".parse().unwrap(), &["sales"], Some("north"))
            .user(&"cy".parse().unwrap(), &["sales", "boss"], None)
    }

    fn actor(name: &str) -> Actor {
        Actor::User(name.parse().unwrap())
    }

    #[test]
    fn unknown_users_may_do_nothing() {
        for permission in Permission::ALL {
            assert_eq!(table().scope(&actor("eve"), permission), Scope::None);
        }
        assert!(!table().may_own(&Actor::System, &"eve".parse().unwrap()));
    }

    #[test]
    fn the_widest_role_counts_and_hides_least() {
        assert_eq!(table().scope(&actor("cy"), Permission::Delete), Scope::All);
        assert_eq!(table().scope(&actor("ada"), Permission::Delete), Scope::None);
        assert!(table().is_hidden(&actor("ada"), &Field::TaxId));
        assert!(!table().is_hidden(&actor("cy"), &Field::TaxId));
    }
}
