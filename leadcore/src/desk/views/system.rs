//! What the system views show, as data.

use crate::domain::{Field, LeadState, SystemView};
use crate::query::{Circumstance, Filter, Operator, Sort, SortField};

/// What a system view shows.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemDefinition {
    /// Which leads.
    pub filter: Filter,
    /// In which order, unless the reader asks for another.
    pub sort: Sort,
    /// Those in the trash instead of those outside it.
    pub trashed: bool,
    /// Whether it shows something only to a user: the host itself owns and reads no leads.
    pub per_user: bool,
}

impl SystemDefinition {
    /// The definition of this view.
    ///
    /// ```
    /// use leadcore::desk::views::SystemDefinition;
    /// use leadcore::domain::SystemView;
    /// let mine = SystemDefinition::of(SystemView::Mine);
    /// assert_eq!(mine.filter.to_text(), r#"owner = "me" and state = "open""#);
    /// ```
    #[must_use]
    pub fn of(view: SystemView) -> Self {
        let of_state = |state: LeadState| Filter::eq(Field::State, state.code());
        let modified = Sort::descending(SortField::UpdatedAt);
        let created = Sort::descending(SortField::CreatedAt);
        let (filter, sort) = match view {
            SystemView::Mine => (Filter::eq(Field::Owner, "me") & of_state(LeadState::Open), modified),
            SystemView::All | SystemView::RecentlyModified | SystemView::Trash => {
                (Filter::everything(), modified)
            }
            SystemView::Unread => (Filter::Is(Circumstance::Unread), created),
            SystemView::RecentlyCreated => (Filter::everything(), created),
            SystemView::Converted => (of_state(LeadState::Converted), modified),
            SystemView::Unassigned => {
                let nobody = Filter::new(Field::Owner, Operator::IsEmpty, true);
                (nobody & of_state(LeadState::Open), modified)
            }
            SystemView::FollowUps => {
                let some = Filter::new(Field::FollowUp, Operator::IsEmpty, false);
                (some & of_state(LeadState::Open), Sort::ascending(SortField::FollowUp))
            }
            // The longest idle first.
            SystemView::Rotting => (Filter::Is(Circumstance::Rotting), Sort::ascending(SortField::ActiveAt)),
        };
        Self {
            filter,
            sort,
            trashed: view == SystemView::Trash,
            per_user: matches!(view, SystemView::Mine | SystemView::Unread),
        }
    }
}
