//! A ready-made policy: users have roles, roles have grants.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::{Actor, Field, FieldValue};
use crate::error::{ValueError, ViolationCode};
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
    #[serde(deserialize_with = "hidable")]
    hidden: BTreeSet<Field>,
}

fn check_hidable(field: &Field) -> Result<(), ValueError> {
    if field.is_writable() {
        return Ok(());
    }
    let message = format!("`{field}` is set by the engine and part of every record: it cannot be hidden");
    Err(ValueError::new(ViolationCode::NotAllowed, message))
}

/// A role from outside is held to the same rule as one that is built.
fn hidable<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<Field>, D::Error> {
    let fields = BTreeSet::<Field>::deserialize(deserializer)?;
    for field in &fields {
        check_hidable(field).map_err(serde::de::Error::custom)?;
    }
    Ok(fields)
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

    /// Hides a field: it is left out of records, no filter, sort or write may name it, and no search finds a lead by it.
    ///
    /// Only fields that callers set can be hidden. What the engine sets (id, number, state, stage, times …) is how a
    /// record is found, ordered and written again, so every record carries it; take away [`Permission::View`] instead.
    ///
    /// ```
    /// use leadcore::domain::Field;
    /// use leadcore::policy::Role;
    /// assert!(Role::viewer().hide(Field::Amount).is_ok());
    /// assert!(Role::viewer().hide(Field::Number).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ViolationCode::NotAllowed`] for a field that the engine sets.
    pub fn hide(mut self, field: Field) -> Result<Self, ValueError> {
        check_hidable(&field)?;
        self.hidden.insert(field);
        Ok(self)
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
///     .user(&"ada".parse()?, &["sales"], Some("north"))?
///     .user(&"bob".parse()?, &["sales"], Some("north"))?;
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "RawTable")]
pub struct RoleTable {
    roles: BTreeMap<String, Role>,
    users: BTreeMap<UserId, Member>,
}

/// A table from outside, which is held to the same rule as one that is built.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawTable {
    roles: BTreeMap<String, Role>,
    users: BTreeMap<UserId, Member>,
}

impl TryFrom<RawTable> for RoleTable {
    type Error = ValueError;

    fn try_from(RawTable { roles, users }: RawTable) -> Result<Self, ValueError> {
        let table = Self { roles, users };
        table.users.values().try_for_each(|member| table.check_known(&member.roles))?;
        Ok(table)
    }
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

    /// Adds or replaces a user with roles that were added before.
    ///
    /// # Errors
    /// [`ViolationCode::Unknown`] for a role that the table has not: misspelt, it would silently grant nothing.
    pub fn user(mut self, user: &UserId, roles: &[&str], team: Option<&str>) -> Result<Self, ValueError> {
        let roles: BTreeSet<_> = roles.iter().map(|role| (*role).to_owned()).collect();
        self.check_known(&roles)?;
        self.users.insert(user.clone(), Member { roles, team: team.map(str::to_owned) });
        Ok(self)
    }

    fn check_known(&self, roles: &BTreeSet<String>) -> Result<(), ValueError> {
        if roles.iter().all(|role| self.roles.contains_key(role)) {
            return Ok(());
        }
        Err(ValueError::new(ViolationCode::Unknown, "a user has roles that the table has, added before it"))
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
            .role("sales", Role::salesperson().hide(Field::TaxId).unwrap())
            .role("boss", Role::manager())
            .user(&"ada".parse().unwrap(), &["sales"], Some("north"))
            .unwrap()
            .user(&"bob".parse().unwrap(), &["sales"], Some("north"))
            .unwrap()
            .user(&"cy".parse().unwrap(), &["sales", "boss"], None)
            .unwrap()
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
    fn a_user_has_roles_that_there_are() {
        let misspelt = table().user(&"dan".parse().unwrap(), &["sales", "bos"], None);
        assert_eq!(misspelt.unwrap_err().code(), ViolationCode::Unknown);
        let json = serde_json::to_string(&table()).unwrap();
        assert_eq!(serde_json::from_str::<RoleTable>(&json).unwrap(), table());
        let wrong = json.replacen(r#""roles":["sales"]"#, r#""roles":["sails"]"#, 1);
        assert_ne!(wrong, json);
        assert!(serde_json::from_str::<RoleTable>(&wrong).is_err());
    }

    #[test]
    fn what_the_engine_sets_cannot_be_hidden() {
        for field in Field::ALL {
            let hidden = Role::viewer().hide(field.clone());
            assert_eq!(hidden.is_ok(), field.is_writable(), "{field}");
            let json = format!(r#"{{"grants":{{"view":"all"}},"hidden":["{field}"]}}"#);
            let read = serde_json::from_str::<Role>(&json);
            assert_eq!(read.as_ref().ok(), hidden.as_ref().ok(), "{field}");
            if let (Err(hidden), Err(read)) = (hidden, read) {
                assert!(hidden.to_string().contains(field.key()), "{hidden}");
                assert!(read.to_string().contains("cannot be hidden"), "{read}");
            }
        }
    }

    #[test]
    fn the_widest_role_counts_and_hides_least() {
        assert_eq!(table().scope(&actor("cy"), Permission::Delete), Scope::All);
        assert_eq!(table().scope(&actor("ada"), Permission::Delete), Scope::None);
        assert!(table().is_hidden(&actor("ada"), &Field::TaxId));
        assert!(!table().is_hidden(&actor("cy"), &Field::TaxId));
    }
}
