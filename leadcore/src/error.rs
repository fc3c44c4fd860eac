//! The one error type of every leadcore crate.
//!
//! [`Error::kind`] is what a host branches on; [`Error::violations`] and [`Error::conflict`] carry typed details.
//! Messages are lower case, end without a full stop, and never hold personal data: a log line made from an error
//! can be kept. Where a person needs to see the offending input (an import report, a form), the caller already has
//! it, and the error names the field or line.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::OperationId;

mod conflict;

pub use conflict::{Conflict, MatchRef};

/// `Result` with leadcore's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync + 'static>;

/// What went wrong, in the terms a host can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The record does not exist, or this actor may not know that it does.
    NotFound,
    /// A record with the same id or unique value exists.
    AlreadyExists,
    /// The record changed since it was read, or is in use; see [`Error::conflict`].
    Conflict,
    /// The record was converted and takes no more edits; see [`Error::conflict`].
    Frozen,
    /// Input breaks a rule; [`Error::violations`] lists every broken rule at once.
    Invalid,
    /// The policy does not allow this actor to do this.
    Denied,
    /// The store or this build cannot do what was asked.
    Unsupported,
    /// The store cannot be reached or stayed busy; trying again may help.
    Unavailable,
    /// The caller asked to stop; whole chunks written so far stay.
    Cancelled,
    /// Stored data cannot be read as what it should be. Nothing was deleted or rewritten.
    Corrupt,
    /// The store failed in another way (disk full, input/output error …).
    Storage,
    /// A bug in leadcore, caught at the border.
    Internal,
}

impl ErrorKind {
    /// Every kind, for bindings that must map each of them.
    pub const ALL: [Self; 12] = [
        Self::NotFound,
        Self::AlreadyExists,
        Self::Conflict,
        Self::Frozen,
        Self::Invalid,
        Self::Denied,
        Self::Unsupported,
        Self::Unavailable,
        Self::Cancelled,
        Self::Corrupt,
        Self::Storage,
        Self::Internal,
    ];

    /// Stable machine-readable name: `not_found`, `conflict` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::Conflict => "conflict",
            Self::Frozen => "frozen",
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::Unsupported => "unsupported",
            Self::Unavailable => "unavailable",
            Self::Cancelled => "cancelled",
            Self::Corrupt => "corrupt",
            Self::Storage => "storage",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why one value was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ViolationCode {
    /// The field must have a value.
    Required,
    /// The value does not have the form that the field asks for.
    Malformed,
    /// The value is longer than the field allows.
    TooLong,
    /// The value lies outside the allowed range.
    OutOfRange,
    /// The value names something that does not exist.
    Unknown,
    /// Another record has this value and the field is unique.
    Duplicate,
    /// The field exists but takes no value here (disabled, hidden, set by the engine).
    NotAllowed,
    /// The operator does not fit the type of the field.
    Operator,
    /// There is no room for one more.
    LimitReached,
}

impl ViolationCode {
    /// Stable machine-readable name: `required`, `malformed` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Malformed => "malformed",
            Self::TooLong => "too_long",
            Self::OutOfRange => "out_of_range",
            Self::Unknown => "unknown",
            Self::Duplicate => "duplicate",
            Self::NotAllowed => "not_allowed",
            Self::Operator => "operator",
            Self::LimitReached => "limit_reached",
        }
    }
}

/// A refused value that does not know its field yet: what value types return from `parse`.
///
/// ```
/// use leadcore::error::{ValueError, ViolationCode};
/// let bad = ValueError::new(ViolationCode::Malformed, "an e-mail address needs one `@`");
/// assert_eq!(bad.at("email").field, "email");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    code: ViolationCode,
    message: Cow<'static, str>,
}

impl ValueError {
    /// A refusal with a reason a person understands. The message must not repeat the value.
    pub fn new(code: ViolationCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    /// The reason as a code.
    #[must_use]
    pub const fn code(&self) -> ViolationCode {
        self.code
    }

    /// The reason as a sentence, without the value.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Names the field this refusal is about.
    #[must_use]
    pub fn at(self, field: impl Into<String>) -> Violation {
        Violation { field: field.into(), code: self.code, message: self.message.into_owned() }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ValueError {}

/// One broken rule, at one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The field's key (`company`, `email` …) or a path (`filter.all[2].stage`).
    pub field: String,
    /// The reason as a code.
    pub code: ViolationCode,
    /// The reason as a sentence, without the value.
    pub message: String,
}

impl Violation {
    /// A broken rule at `field`.
    pub fn new(field: impl Into<String>, code: ViolationCode, message: impl Into<String>) -> Self {
        Self { field: field.into(), code, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, self.message)
    }
}

#[derive(Debug, Default)]
enum Detail {
    #[default]
    None,
    Violations(Vec<Violation>),
    Conflict(Conflict),
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    context: Cow<'static, str>,
    detail: Detail,
    source: Option<Source>,
    operation: Option<OperationId>,
}

/// The one error of every leadcore operation: a [`kind`](Self::kind), a sentence, typed details and the cause.
///
/// ```
/// use leadcore::error::{Error, ErrorKind};
/// let error = Error::not_found("lead");
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert_eq!(error.to_string(), "lead not found");
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

impl Error {
    /// An error of `kind` with a sentence about what was being done.
    pub fn new(kind: ErrorKind, context: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            context: context.into(),
            detail: Detail::None,
            source: None,
            operation: None,
        }))
    }

    /// `{what} not found`.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("{what} not found"))
    }

    /// Input that breaks the listed rules.
    #[must_use]
    pub fn invalid(violations: Vec<Violation>) -> Self {
        Self(Box::new(Inner {
            kind: ErrorKind::Invalid,
            context: Cow::Borrowed("invalid input"),
            detail: Detail::Violations(violations),
            source: None,
            operation: None,
        }))
    }

    /// Input that breaks one rule.
    pub fn invalid_field(field: impl Into<String>, code: ViolationCode, message: impl Into<String>) -> Self {
        Self::invalid(vec![Violation::new(field, code, message)])
    }

    /// A write that does not fit the record as it is now.
    #[must_use]
    pub fn conflicting(what: &str, conflict: Conflict) -> Self {
        let (kind, context) = conflict.told(what);
        Self(Box::new(Inner {
            kind,
            context: Cow::Owned(context),
            detail: Detail::Conflict(conflict),
            source: None,
            operation: None,
        }))
    }

    /// A plan, an order or a selection that was made from something else than what is there now: what was expected, and
    /// what is there.
    pub fn outdated(context: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind: ErrorKind::Conflict,
            context: context.into(),
            detail: Detail::Conflict(Conflict::PlanOutdated),
            source: None,
            operation: None,
        }))
    }

    /// The policy refuses `action`.
    #[must_use]
    pub fn denied(action: &str) -> Self {
        Self::new(ErrorKind::Denied, format!("not allowed to {action}"))
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error of an operation that wrote something before it failed.
    #[must_use]
    pub fn with_operation(mut self, operation: OperationId) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// The operation that wrote something before it failed and is in the journal: an import that was cancelled or broke
    /// after its first chunk, which can be undone or gone on with. None where nothing was written.
    #[must_use]
    pub fn operation(&self) -> Option<OperationId> {
        self.0.operation
    }

    /// What a host branches on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Every broken rule of an [`ErrorKind::Invalid`] error; empty for other kinds.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match &self.0.detail {
            Detail::Violations(list) => list,
            _ => &[],
        }
    }

    /// The details of a [`ErrorKind::Conflict`] or [`ErrorKind::Frozen`] error.
    #[must_use]
    pub fn conflict(&self) -> Option<&Conflict> {
        match &self.0.detail {
            Detail::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }

    /// Whether the same call may succeed when simply made again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Unavailable)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.context)?;
        for (n, violation) in self.violations().iter().enumerate() {
            write!(f, "{} {violation}", if n == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// A refused value whose field the caller did not name: the violation's field is `value`.
impl From<ValueError> for Error {
    fn from(error: ValueError) -> Self {
        error.at("value").into()
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::invalid(vec![violation])
    }
}

#[cfg(test)]
mod tests;
