//! The results of a loop's rounds, in segments: a copy of the state shares them, and only the segment that
//! changes is copied, so what a round costs does not grow with the rounds before it.

use std::sync::Arc;

use crate::state::RoundResult;

/// Results per segment: small enough to copy, large enough to keep the list of segments short.
const SEGMENT: usize = 64;

/// Results by round, `None` for rounds that have not ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Results {
    segments: Vec<Arc<Vec<Option<RoundResult>>>>,
    length: usize,
}

impl Results {
    pub fn set(&mut self, index: usize, result: RoundResult) {
        while self.segments.len() * SEGMENT <= index {
            self.segments.push(Arc::new(vec![None; SEGMENT]));
        }
        Arc::make_mut(&mut self.segments[index / SEGMENT])[index % SEGMENT] = Some(result);
        self.length = self.length.max(index + 1);
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn iter(&self) -> impl Iterator<Item = Option<&RoundResult>> {
        self.segments.iter().flat_map(|segment| segment.iter().map(Option::as_ref)).take(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skep_model::Map;
    use skep_model::status::Step;

    #[test]
    fn results_keep_their_places_across_segments() {
        let mut results = Results::default();
        for index in [130, 0, 64] {
            results.set(index, RoundResult { status: Step::Completed, outputs: Map::new() });
        }
        assert_eq!(results.len(), 131);
        let ended: Vec<usize> = results.iter().enumerate().filter(|(_, r)| r.is_some()).map(|(at, _)| at).collect();
        assert_eq!(ended, [0, 64, 130]);
    }
}
