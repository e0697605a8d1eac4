//! Ids that were met, in little memory where they lie close together.

use std::collections::BTreeMap;

/// A set of ids, as ranges: the first of each with the last.
#[derive(Debug, Default)]
pub(super) struct IdSet(BTreeMap<i64, i64>);

impl IdSet {
    /// Adds a positive id; `false` if it is in the set already.
    pub(super) fn insert(&mut self, id: i64) -> bool {
        let before = self.0.range(..=id).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| id <= last) {
            return false;
        }
        let first = before.filter(|(_, last)| last + 1 == id).map_or(id, |(first, _)| first);
        let last = id.checked_add(1).and_then(|next| self.0.remove(&next)).unwrap_or(id);
        self.0.insert(first, last);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set_of_ranges_that_do_not_touch(ids in prop::collection::vec(1..40_i64, 0..60)) {
            let (mut ranges, mut set) = (IdSet::default(), HashSet::new());
            for id in ids {
                prop_assert_eq!(ranges.insert(id), set.insert(id));
            }
            let listed: Vec<i64> = ranges.0.iter().flat_map(|(first, last)| *first..=*last).collect();
            let mut expected: Vec<i64> = set.into_iter().collect();
            expected.sort_unstable();
            prop_assert_eq!(listed, expected);
            let bounds: Vec<_> = ranges.0.iter().collect();
            prop_assert!(bounds.windows(2).all(|pair| pair[0].1 + 1 < *pair[1].0));
        }
    }

    #[test]
    fn the_last_id_there_is_has_its_place() {
        let mut ids = IdSet::default();
        assert!(ids.insert(i64::MAX) && ids.insert(i64::MAX - 1) && !ids.insert(i64::MAX));
    }
}
