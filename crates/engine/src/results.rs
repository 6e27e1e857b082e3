//! The results of a loop's rounds, in segments: a copy of the state shares them, and only the segment that
//! changes is copied, so what a round costs does not grow with the rounds before it.
//!
//! A segment whose rounds have all ended is frozen: it becomes JSON text, a tenth of what the values take in
//! memory, and is decoded when somebody asks for it. Frozen or not, the results are the same.

use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::chunks::Chunks;
use crate::state::RoundResult;

/// Results per segment: small enough to decode for one of them, large enough to keep the list of segments short.
const SEGMENT: usize = 64;
/// Values nested deeper than this stay as they are: the decoder refuses what is nested 128 deep, and a segment adds
/// some levels to what an event could hold.
const DEPTH_FROZEN_MAX: usize = 100;

/// A round's result; `None` while it has not ended.
type Entry = Option<Arc<RoundResult>>;

/// Results by round, `None` for rounds that have not ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Results {
    segments: Chunks<Segment>,
    length: usize,
}

#[derive(Clone, Debug)]
enum Segment {
    /// Up to [`SEGMENT`] entries.
    Open(Vec<Entry>),
    /// The JSON text of [`SEGMENT`] entries, all of them there.
    Frozen(Arc<[u8]>),
}

impl Results {
    pub fn set(&mut self, index: usize, result: RoundResult) {
        while self.segments.len() * SEGMENT <= index {
            self.segments.push(Segment::Open(Vec::new()));
        }
        let segment = self.segments.get_mut(index / SEGMENT).expect("the segment was just made sure of");
        segment.set(index % SEGMENT, Arc::new(result));
        self.length = self.length.max(index + 1);
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn iter(&self) -> impl Iterator<Item = Entry> {
        self.segments.iter().flat_map(Segment::padded).take(self.length)
    }
}

impl Segment {
    fn set(&mut self, at: usize, result: Arc<RoundResult>) {
        let mut entries = match self {
            Self::Open(entries) => std::mem::take(entries),
            Self::Frozen(text) => thaw(text),
        };
        if entries.len() <= at {
            entries.resize(at + 1, None);
        }
        entries[at] = Some(result);
        *self = Self::of(entries);
    }

    fn of(entries: Vec<Entry>) -> Self {
        let full = entries.len() == SEGMENT && entries.iter().all(Option::is_some);
        if full && !entries.iter().flatten().any(|result| is_deep(result)) {
            Self::Frozen(freeze(&entries))
        } else {
            Self::Open(entries)
        }
    }

    /// Its entries, as many as a segment has.
    fn padded(&self) -> Vec<Entry> {
        let mut entries = match self {
            Self::Open(entries) => entries.clone(),
            Self::Frozen(text) => thaw(text),
        };
        entries.resize(SEGMENT, None);
        entries
    }
}

fn freeze(entries: &[Entry]) -> Arc<[u8]> {
    serde_json::to_vec(entries).expect("results are plain data and always serialize").into()
}

fn thaw(text: &[u8]) -> Vec<Entry> {
    serde_json::from_slice(text).expect("only `freeze` makes frozen text, of values that the decoder takes")
}

fn is_deep(result: &RoundResult) -> bool {
    result.outputs.values().flat_map(|outputs| outputs.values()).any(|output| nests(&output.value, DEPTH_FROZEN_MAX))
}

/// True if the value nests deeper than `levels`.
fn nests(value: &Value, levels: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(list) => levels == 0 || list.iter().any(|inner| nests(inner, levels - 1)),
        Value::Object(map) => levels == 0 || map.values().any(|inner| nests(inner, levels - 1)),
    }
}

impl PartialEq for Segment {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            // The order of names may differ where the values are equal.
            (Self::Frozen(one), Self::Frozen(two)) if one == two => true,
            _ => self.padded() == other.padded(),
        }
    }
}

impl PartialEq for Results {
    fn eq(&self, other: &Self) -> bool {
        self.length == other.length && self.segments == other.segments
    }
}

/// Segment by segment, so that no more than one is decoded at a time.
impl Serialize for Results {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.segments.len()))?;
        for (at, segment) in self.segments.iter().enumerate() {
            let mut entries = segment.padded();
            entries.truncate(self.length - at * SEGMENT);
            list.serialize_element(&entries)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Results {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Segments)
    }
}

struct Segments;

impl<'de> Visitor<'de> for Segments {
    type Value = Results;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "a list of lists of up to {SEGMENT} results")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Results, A::Error> {
        let mut results = Results::default();
        while let Some(entries) = list.next_element::<Vec<Entry>>()? {
            if entries.len() > SEGMENT || results.length != results.segments.len() * SEGMENT {
                return Err(serde::de::Error::custom("a segment of results has another length than it may have"));
            }
            results.length += entries.len();
            results.segments.push(Segment::of(entries));
        }
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use skep_model::Map;
    use skep_model::status::Step;

    fn result(value: Value) -> RoundResult {
        let outputs = Map::from_iter([("value".to_owned(), value.into())]);
        RoundResult { status: Step::Completed, outputs: Map::from_iter([("step".to_owned(), outputs)]) }
    }

    fn frozen(results: &Results) -> usize {
        results.segments.iter().filter(|segment| matches!(segment, Segment::Frozen(_))).count()
    }

    /// The same results with nothing frozen.
    fn open(results: &Results) -> Results {
        let segments = results.segments.iter().map(|segment| Segment::Open(segment.padded())).collect();
        Results { segments, length: results.length }
    }

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

    #[test]
    fn full_segments_freeze_and_are_the_same() {
        let mut results = Results::default();
        // Out of order, as parallel rounds end.
        for index in (0..200).rev() {
            results.set(index, result(json!({"n": index, "x": 0.1 + index as f64})));
        }
        assert_eq!(frozen(&results), 3);
        assert!(results == open(&results) && open(&results) == results);
        let found: Vec<_> = results.iter().map(|found| found.unwrap()).collect();
        assert_eq!((found.len(), &*found[70]), (200, &result(json!({"n": 70, "x": 70.1}))));
        let mut other = results.clone();
        other.set(70, result(json!(1)));
        assert!(other != results && open(&other) != results);
        assert_eq!((other.len(), frozen(&other)), (200, 3));
    }

    #[test]
    fn they_survive_their_text() {
        let mut results = Results::default();
        for index in [0, 1, 70].into_iter().chain(128..200) {
            results.set(index, result(json!(index)));
        }
        let text = serde_json::to_string(&results).unwrap();
        let back: Results = serde_json::from_str(&text).unwrap();
        assert_eq!((back == results, back.len(), frozen(&back)), (true, 200, 1));
        for bad in ["[[], [null]]", "[[null], [null]]", "{}"] {
            assert!(serde_json::from_str::<Results>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_the_decoder_would_refuse_stays_as_it_is() {
        let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        for (levels, expected) in [(100, 1), (101, 0), (122, 0)] {
            let mut results = Results::default();
            (0..64).for_each(|index| results.set(index, result(deep(levels))));
            assert_eq!(frozen(&results), expected, "{levels}");
            assert_eq!(*results.iter().nth(63).unwrap().unwrap(), result(deep(levels)));
        }
    }
}
