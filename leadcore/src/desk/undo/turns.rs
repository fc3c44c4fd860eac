//! In which order leads come back that wait for what others have: those that others wait for first, circles together.

use std::collections::{HashMap, HashSet, VecDeque};

use super::claims::Waiting;
use crate::id::LeadId;

/// Parts of so many leads, in the order in which they are taken back; one that is larger is a circle.
pub(super) fn in_turn(waiting: &[Waiting], most: usize) -> VecDeque<Vec<LeadId>> {
    let mut parts: VecDeque<Vec<LeadId>> = VecDeque::new();
    for group in Order::of(waiting).groups() {
        match parts.back_mut() {
            Some(part) if part.len().saturating_add(group.len()) <= most => part.extend(group),
            _ => parts.push_back(group),
        }
    }
    parts
}

struct Order {
    leads: Vec<LeadId>,
    /// For whom each waits yet.
    needs: HashMap<LeadId, HashSet<LeadId>>,
    /// Who waits for it.
    needed: HashMap<LeadId, Vec<LeadId>>,
    /// Who waits for nobody any more.
    free: VecDeque<LeadId>,
}

impl Order {
    fn of(waiting: &[Waiting]) -> Self {
        let leads: Vec<LeadId> = waiting.iter().map(|one| one.lead).collect();
        let known: HashSet<LeadId> = leads.iter().copied().collect();
        let (mut needs, mut needed) = (HashMap::new(), HashMap::<LeadId, Vec<LeadId>>::new());
        let mut free = VecDeque::new();
        for Waiting { lead, holders } in waiting {
            let own: HashSet<LeadId> =
                holders.iter().copied().filter(|holder| known.contains(holder)).collect();
            own.iter().for_each(|holder| needed.entry(*holder).or_default().push(*lead));
            free.extend(own.is_empty().then_some(*lead));
            needs.insert(*lead, own);
        }
        Self { leads, needs, needed, free }
    }

    /// Leads that come back together, each group behind those that it waits for.
    fn groups(mut self) -> Vec<Vec<LeadId>> {
        let mut groups = Vec::new();
        let mut rest: VecDeque<LeadId> = std::mem::take(&mut self.leads).into();
        loop {
            while let Some(lead) = self.free.pop_front() {
                self.done(lead);
                groups.push(vec![lead]);
            }
            let Some(lead) = rest.pop_front() else { return groups };
            // Who is left waits for somebody in a circle, or is in one.
            if self.needs.contains_key(&lead) {
                let circle = self.all_needed_by(self.in_circle(lead));
                // None of them waits for the others any more.
                circle.iter().for_each(|lead| drop(self.needs.remove(lead)));
                circle.iter().for_each(|lead| self.done(*lead));
                groups.push(circle);
                rest.push_front(lead);
            }
        }
    }

    fn done(&mut self, lead: LeadId) {
        self.needs.remove(&lead);
        for other in self.needed.remove(&lead).unwrap_or_default() {
            if let Some(needs) = self.needs.get_mut(&other)
                && needs.remove(&lead)
                && needs.is_empty()
            {
                self.free.push_back(other);
            }
        }
    }

    /// A lead in a circle for which this one waits.
    fn in_circle(&self, mut lead: LeadId) -> LeadId {
        let mut seen = HashSet::new();
        while seen.insert(lead) {
            let next = self.needs.get(&lead).and_then(|needs| needs.iter().min());
            lead = next.copied().unwrap_or(lead);
        }
        lead
    }

    /// The lead and all for whom it waits, and so on.
    fn all_needed_by(&self, lead: LeadId) -> Vec<LeadId> {
        let (mut all, mut seen) = (vec![lead], HashSet::from([lead]));
        let mut at = 0;
        while let Some(lead) = all.get(at).copied() {
            let mut needs: Vec<_> = self.needs.get(&lead).into_iter().flatten().copied().collect();
            needs.sort_unstable();
            all.extend(needs.into_iter().filter(|lead| seen.insert(*lead)));
            at += 1;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(n: u128) -> LeadId {
        LeadId::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn parts(waiting: &[(u128, &[u128])], most: usize) -> Vec<Vec<u128>> {
        let waiting: Vec<_> = waiting
            .iter()
            .map(|(own, others)| Waiting {
                lead: lead(*own),
                holders: others.iter().map(|n| lead(*n)).collect(),
            })
            .collect();
        let parts = in_turn(&waiting, most).into_iter();
        parts.map(|part| part.iter().map(|lead| lead.as_uuid().as_u128()).collect()).collect()
    }

    #[test]
    fn those_that_others_wait_for_come_first() {
        assert_eq!(parts(&[(1, &[2]), (2, &[3]), (3, &[9])], 1), [[3], [2], [1]]);
        assert_eq!(parts(&[(1, &[2]), (2, &[3]), (3, &[])], 2), [vec![3, 2], vec![1]]);
    }

    #[test]
    fn circles_come_together_and_apart_from_each_other() {
        assert_eq!(parts(&[(1, &[2]), (3, &[4]), (2, &[1]), (4, &[3])], 2), [[1, 2], [3, 4]]);
        // Whoever waits for a circle comes behind it, from however far.
        let all: &[(u128, &[u128])] =
            &[(1, &[2]), (2, &[3]), (3, &[4]), (4, &[5, 7]), (5, &[3]), (7, &[]), (8, &[1])];
        assert_eq!(parts(all, 1), [vec![7], vec![3, 4, 5], vec![2], vec![1], vec![8]]);
        // A circle stays whole, however many may come at once.
        assert_eq!(parts(&[(1, &[2]), (2, &[3]), (3, &[1])], 2).concat().len(), 3);
        assert_eq!(parts(&[(1, &[2]), (2, &[3]), (3, &[1])], 2).len(), 1);
    }

    #[test]
    fn many_circles_take_no_long_time_and_nobody_is_lost() {
        let waiting: Vec<Waiting> = (0..20_000)
            .map(|n| Waiting { lead: lead(n), holders: vec![lead((n + 10_000) % 20_000)] })
            .collect();
        let parts = in_turn(&waiting, 500);
        assert_eq!((parts.len(), parts.iter().map(Vec::len).sum::<usize>()), (40, 20_000));
        let chain: Vec<Waiting> = (0..20_000)
            .map(|n| Waiting { lead: lead(n), holders: vec![lead((n + 1).min(19_998))] })
            .collect();
        let parts = in_turn(&chain, 500);
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 20_000);
    }
}
