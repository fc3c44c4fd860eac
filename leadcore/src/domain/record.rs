//! Records of the host's own that are shown with leads and customers: subscriptions, projects, contracts (S3.09).
//!
//! The host registers kinds, and links its records by their own ids. Leadcore keeps what a list shows of them: a title, a
//! state, a link to open them by. What they are stays the host's.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, ValueError, Violation, ViolationCode};
use crate::id::{RecordId, Revision};
use crate::time::Timestamp;
use crate::value::{Website, clean_text};

use super::child::{Placement, RecordKind, Tab};
use super::journal::Actor;
use super::lead::{MAX_LINE, text_violations};
use super::link::Subject;
use super::vocabulary::check_color;

/// The longest id of a host's record, in characters.
const MAX_KEY: usize = 255;
/// The longest name of an icon, in characters.
const MAX_ICON: usize = 64;
/// The longest name of a kind, in characters.
const MAX_LABEL: usize = 100;
/// The most kinds.
const MAX_KINDS: usize = 100;

/// A kind of record that the host registered, and how a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordKindSpec {
    /// The name by which it is stored. It never changes.
    pub kind: RecordKind,
    /// What one is called: `Subscription`.
    pub singular: String,
    /// What its tab is called: `Subscriptions`.
    pub plural: String,
    /// The name of an icon of the host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// A colour, `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// What becomes of such records when their lead is converted; none when nobody said so yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conversion: Option<OnConversion>,
}

/// What becomes of a host's records when the lead that they are about is converted. Whichever it is, they stay where they are
/// and are reachable from the lead and from the customer: this says that somebody thought of the host's side of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnConversion {
    /// Nothing else: they are shown with the lead and with the customer.
    Shown,
    /// The host does something with its own rows besides: in a [target](crate::desk::convert::ConversionTarget), or by the
    /// [outbox](crate::desk::outbox).
    Host,
}

impl RecordKindSpec {
    /// With this policy for conversions.
    #[must_use]
    pub const fn on_conversion(mut self, policy: OnConversion) -> Self {
        self.on_conversion = Some(policy);
        self
    }

    /// A kind without icon and colour.
    pub fn new(kind: RecordKind, singular: impl Into<String>, plural: impl Into<String>) -> Self {
        Self {
            kind,
            singular: singular.into(),
            plural: plural.into(),
            icon: None,
            color: None,
            on_conversion: None,
        }
    }
}

/// The kinds of record that a tenant has, in the order of their tabs.
///
/// ```
/// use leadcore::domain::{RecordKind, RecordKindSpec, RecordKinds};
/// let kind = RecordKind::new("subscription")?;
/// let kinds = RecordKinds::new().with(RecordKindSpec::new(kind.clone(), "Subscription", "Subscriptions"));
/// assert!(kinds.validate().is_ok());
/// assert_eq!(kinds.get(&kind).map(|spec| spec.plural.as_str()), Some("Subscriptions"));
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordKinds(Vec<RecordKindSpec>);

impl RecordKinds {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// And this one; a kind that is there is replaced and keeps its place.
    #[must_use]
    pub fn with(mut self, spec: RecordKindSpec) -> Self {
        match self.0.iter_mut().find(|known| known.kind == spec.kind) {
            Some(known) => *known = spec,
            None => self.0.push(spec),
        }
        self
    }

    /// Without this one.
    #[must_use]
    pub fn without(mut self, kind: &RecordKind) -> Self {
        self.0.retain(|known| known.kind != *kind);
        self
    }

    /// The kinds, in the order of their tabs.
    #[must_use]
    pub fn all(&self) -> &[RecordKindSpec] {
        &self.0
    }

    /// How a kind is shown; none when it is not registered.
    #[must_use]
    pub fn get(&self, kind: &RecordKind) -> Option<&RecordKindSpec> {
        self.0.iter().find(|known| known.kind == *kind)
    }

    /// Checks every rule.
    ///
    /// # Errors
    /// `Invalid` with every broken rule, by the place in the list: `kinds[1].plural`.
    pub fn validate(&self) -> Result<()> {
        let mut broken = Vec::new();
        if self.0.len() > MAX_KINDS {
            broken.push(Violation::new(
                "kinds",
                ViolationCode::TooLong,
                "there are at most 100 kinds of record",
            ));
        }
        let mut names = BTreeSet::new();
        for (n, spec) in self.0.iter().enumerate() {
            let at = |field: &str| format!("kinds[{n}].{field}");
            if !names.insert(&spec.kind) {
                broken.push(Violation::new(at("kind"), ViolationCode::Duplicate, "a kind is named twice"));
            }
            for (field, label) in [("singular", &spec.singular), ("plural", &spec.plural)] {
                broken.extend(check_line(label, MAX_LABEL).err().map(|error| error.at(at(field))));
            }
            let icon = spec.icon.as_deref().map_or(Ok(()), |icon| check_line(icon, MAX_ICON));
            broken.extend(icon.err().map(|error| error.at(at("icon"))));
            if spec.color.as_deref().is_some_and(|color| check_color(color).is_err()) {
                let message = "a colour must be written like `#1a7f37`";
                broken.push(Violation::new(at("color"), ViolationCode::Malformed, message));
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }
}

/// One line of text: not blank, without control characters, not too long.
fn check_line(text: &str, max: usize) -> std::result::Result<(), ValueError> {
    if text.trim().is_empty() {
        return Err(ValueError::new(ViolationCode::Required, "must not be blank"));
    }
    clean_text(text, max)?;
    if text.chars().any(char::is_control) || text.trim() != text {
        let message = "must not hold control characters, or begin or end with a blank";
        return Err(ValueError::new(ViolationCode::Malformed, message));
    }
    Ok(())
}

/// What the host says of a record of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRecordFields {
    /// What it is called, in a line.
    pub title: String,
    /// Where it is opened: an address that begins with `http://` or `https://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How it stands, in the host's own words: `active`, `cancelled in March`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Whether something is still to be done about it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_open: bool,
    /// Its place in the order of the tab; when it was linked, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl HostRecordFields {
    /// A record with this title that is closed and cannot be opened.
    pub fn titled(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// The rules that hold for every record.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        broken.extend(check_line(&self.title, MAX_LINE).err().map(|error| error.at("title")));
        broken.extend(text_violations(&[("state", &self.state, MAX_LINE)]));
        if let Some(url) = &self.url {
            let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
            let is_web = lower.starts_with("http://") || lower.starts_with("https://");
            // A host inside the company's net has no dot: the rest is what a web site must be.
            let dotted = url.splitn(4, '/').collect::<Vec<_>>();
            let with_dot = match dotted.as_slice() {
                [scheme, "", host, rest @ ..] if !host.contains('.') => {
                    let (name, port) = host
                        .split_once(':')
                        .map_or((*host, String::new()), |(name, port)| (name, format!(":{port}")));
                    format!("{scheme}//{name}.internal{port}/{}", rest.join("/"))
                }
                _ => url.clone(),
            };
            if !is_web || url.trim() != url || Website::parse(&with_dot).is_err() {
                let message = "must be an address that begins with http:// or https://";
                broken.push(Violation::new("url", ViolationCode::Malformed, message));
            }
        }
        broken
    }
}

/// A record of the host's that is shown with leads, contacts or accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// The id.
    pub id: RecordId,
    /// The revision, for the next write.
    pub revision: Revision,
    /// The records that it is about: 1 to 20.
    pub about: Vec<Subject>,
    /// Its kind.
    pub kind: RecordKind,
    /// The host's own id of it: unique in its kind.
    pub key: String,
    /// What the host says of it.
    pub fields: HostRecordFields,
    /// Who linked it.
    pub created_by: Actor,
    /// When it was linked.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl HostRecord {
    /// What is wrong with the host's own id.
    pub(crate) fn check_key(key: &str) -> Option<Violation> {
        check_line(key, MAX_KEY).err().map(|error| error.at("key"))
    }

    /// Where it is shown.
    #[must_use]
    pub fn placement(&self) -> Placement {
        Placement {
            child: self.id.into(),
            about: self.about.clone(),
            tab: Tab::Record(self.kind.clone()),
            at: self.fields.at.unwrap_or(self.created_at),
            is_open: self.fields.is_open,
            follow_up: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields_of(record: &HostRecordFields) -> Vec<String> {
        record.violations().into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn addresses_are_of_the_web_and_nothing_else() {
        for url in [
            "https://erp.example/subscriptions/42?x=1#y",
            "http://erp.example:8069/web",
            "HTTPS://ERP.example",
            "http://erp/web",
            "http://localhost:8069/x",
        ] {
            let record = HostRecordFields { url: Some(url.into()), ..HostRecordFields::titled("x") };
            assert_eq!(fields_of(&record), [""; 0], "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            " https://erp.example",
            "https://",
            "https:///x",
            "https://a b.example",
            "https://user@erp.example",
            "erp.example/x",
            "//erp.example",
            "ftp://erp.example",
            "data:text/html,x",
            "http://erp:99999/",
            "é",
            "",
        ] {
            let record = HostRecordFields { url: Some(url.into()), ..HostRecordFields::titled("x") };
            assert_eq!(fields_of(&record), ["url"], "{url:?}");
        }
    }

    #[test]
    fn all_broken_rules_are_told_at_once() {
        let record = HostRecordFields {
            title: " ".into(),
            url: Some("x".into()),
            state: Some("a\0".into()),
            ..HostRecordFields::default()
        };
        assert_eq!(fields_of(&record), ["title", "state", "url"]);
        let kind = RecordKind::new("project").unwrap();
        let bad =
            RecordKindSpec { color: Some("red".into()), ..RecordKindSpec::new(kind.clone(), "", "x\n") };
        let error = RecordKinds(vec![bad.clone(), bad]).validate().unwrap_err();
        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        let of = |n| ["singular", "plural", "color"].map(|field| format!("kinds[{n}].{field}"));
        assert_eq!(fields, [&of(0)[..], &["kinds[1].kind".into()], &of(1)].concat());
        assert!(
            RecordKinds::new()
                .with(RecordKindSpec::new(kind.clone(), "a", "b"))
                .without(&kind)
                .all()
                .is_empty()
        );
    }
}
