//! Choosing among those that a lead may be, by a policy: ambiguous is an error, not a guess.

use crate::error::{Error, MatchRef, Result};

use super::{Candidate, Elsewhere, Evidence, EvidenceKind, MatchPolicy, TooCommon, score};

/// What may speak for a record that was not looked at, because too many share a key with it.
pub(super) struct Unseen {
    /// At most so sure is such a record: by whatever is not cut short it would have been found.
    score: u8,
    /// Whether more may speak for an account that was looked at: a person of it was perhaps not.
    through_contacts: bool,
}

impl Unseen {
    pub(super) fn of(too_common: &[TooCommon], is_account: bool) -> Self {
        let cut = too_common.iter().filter(|cut| cut.is_account == is_account);
        let mut kinds: Vec<EvidenceKind> = cut.map(|cut| cut.kind).collect();
        let reaches = |kind| matches!(kind, EvidenceKind::Email | EvidenceKind::Phone);
        let through_contacts =
            is_account && too_common.iter().any(|cut| !cut.is_account && reaches(cut.kind));
        if through_contacts {
            kinds.push(EvidenceKind::ContactOfAccount);
        }
        kinds.sort();
        kinds.dedup();
        let evidence: Vec<_> = kinds.into_iter().map(|kind| Evidence::new(kind, None)).collect();
        Self { score: score(&evidence), through_contacts }
    }

    /// How sure a candidate may be, with what was not looked at.
    fn most<I: Clone>(&self, candidate: &Candidate<I>) -> u8 {
        if !self.through_contacts {
            return candidate.score;
        }
        candidate.clone().with([Evidence::new(EvidenceKind::ContactOfAccount, None)]).score
    }
}

pub(super) fn choose<'e, I: Copy>(
    (what, record): (&str, &str),
    candidates: &[Candidate<I>],
    (elsewhere, unseen): (impl Iterator<Item = &'e Elsewhere>, Unseen),
    policy: MatchPolicy,
    uuid: impl Fn(I) -> uuid::Uuid,
) -> Result<Option<I>> {
    let least = match policy {
        MatchPolicy::Never => return Ok(None),
        MatchPolicy::AskCaller => 0,
        MatchPolicy::Best { at_least } => at_least,
    };
    let mut hidden: Vec<_> = elsewhere.map(|other| other.score).filter(|score| *score >= least).collect();
    let mut is_cut = unseen.score > 0 && unseen.score >= least;
    let mut likely: Vec<_> = candidates.iter().filter(|candidate| unseen.most(candidate) >= least).collect();
    if let MatchPolicy::Best { .. } = policy {
        let best = likely.iter().map(|candidate| candidate.score).max();
        let top = best.max(hidden.iter().max().copied()).max(is_cut.then_some(unseen.score));
        likely.retain(|candidate| Some(unseen.most(candidate)) >= best);
        hidden.retain(|score| Some(*score) == top);
        is_cut = is_cut && Some(unseen.score) == top;
        if let ([only], true) = (likely.as_slice(), hidden.is_empty() && !is_cut)
            && only.score >= least
        {
            return Ok(Some(only.id));
        }
    }
    if likely.is_empty() && hidden.is_empty() && !is_cut {
        return Ok(None);
    }
    let candidates = likely.into_iter().map(|candidate| MatchRef {
        record: record.to_owned(),
        id: uuid(candidate.id),
        score: candidate.score,
    });
    let out_of_sight = u64::try_from(hidden.len()).unwrap_or(u64::MAX);
    Err(Error::ambiguous_match(what, candidates.collect(), out_of_sight, is_cut))
}
