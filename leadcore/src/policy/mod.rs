//! Who may do what: a scope filter per permission, the same for lists, counts, searches and single records.
//!
//! Ports never see an actor. The desk asks the policy once per call, ANDs the scope into lists and counts, and
//! evaluates the same filter on single records, so that they can never disagree.

mod roles;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{Actor, Field};
use crate::id::UserId;
use crate::query::Filter;

pub use roles::{Role, RoleTable, Visibility};

/// What a call does (S0.35, S1.02: separate grants; X.68: conversion is one of its own).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Permission {
    /// See a lead and what belongs to it.
    View,
    /// Create leads.
    Create,
    /// Edit and move leads, and change their contacts.
    Edit,
    /// Put into the trash and take out again.
    Delete,
    /// Convert a lead to a customer.
    Convert,
    /// Import files.
    Import,
    /// Take leads out as files, many at once (S1.02).
    Export,
    /// Change pipelines, vocabularies and settings.
    Configure,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 8] = [
        Self::View,
        Self::Create,
        Self::Edit,
        Self::Delete,
        Self::Convert,
        Self::Import,
        Self::Export,
        Self::Configure,
    ];

    /// Stable name: `view`, `create` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Convert => "convert",
            Self::Import => "import",
            Self::Export => "export",
            Self::Configure => "configure",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// On which leads an actor has a permission.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Scope {
    /// On all leads of the tenant.
    All,
    /// On none.
    #[default]
    None,
    /// On those that match.
    Where(Filter),
}

/// Answers for one host's rules. A ready-made one is [`RoleTable`]; [`AllowAll`] is for single-user programs.
pub trait Policy: Send + Sync + fmt::Debug {
    /// On which leads `actor` has `permission`. [`Permission::Import`] and [`Permission::Configure`] are not about
    /// single leads: anything but [`Scope::None`] grants them.
    fn scope(&self, actor: &Actor, permission: Permission) -> Scope;

    /// Whether `actor` may not see `field`: it is left out of records, searches do not look into it, and filters and sorts
    /// that look at it and writes to it are refused. What the engine sets (id, number, state …; see [`Field::is_writable`]) is part of
    /// every record and stays there: of it, a policy can refuse the filters and sorts alone. A full name and its parts
    /// are looked for only by who may see all of them.
    fn is_hidden(&self, actor: &Actor, field: &Field) -> bool;

    /// Whether `actor` may make `owner` the owner of a lead; also the place to refuse users that do not exist.
    fn may_own(&self, actor: &Actor, owner: &UserId) -> bool;
}

/// Everyone may do everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

impl Policy for AllowAll {
    fn scope(&self, _: &Actor, _: Permission) -> Scope {
        Scope::All
    }

    fn is_hidden(&self, _: &Actor, _: &Field) -> bool {
        false
    }

    fn may_own(&self, _: &Actor, _: &UserId) -> bool {
        true
    }
}
