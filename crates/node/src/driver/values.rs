//! Large values of the turns of one pass: stored together, before any of the turns is handed to the writer.

use std::collections::HashMap;
use std::sync::Arc;

use skep_model::ids::{Hash, LocalId};
use skep_model::message::Message;
use skep_model::payload::NewBlob;
use skep_store::blobs::{self, Blobs};

use super::Driver;
use super::flight::{Boxed, Flight};
use crate::error::Error;

/// A turn with a value that cannot be stored, and why.
pub(super) type Unstored = (Box<Flight>, Arc<blobs::Error>);

/// The blob store, and the values of this pass that are not in it yet.
pub(super) struct WithPending<'a> {
    pub stored: &'a dyn Blobs,
    pub pending: &'a [Box<Flight>],
}

impl WithPending<'_> {
    fn find(&self, hash: Hash) -> Option<&NewBlob> {
        self.pending.iter().flat_map(|flight| &flight.blobs).find(|blob| blob.reference.blob == hash)
    }
}

impl Blobs for WithPending<'_> {
    fn put(&self, blob: &NewBlob) -> Result<(), blobs::Error> {
        self.stored.put(blob)
    }

    fn get(&self, hash: Hash) -> Result<Option<Vec<u8>>, blobs::Error> {
        match self.find(hash) {
            Some(blob) => Ok(Some(blob.bytes.clone())),
            None => self.stored.get(hash),
        }
    }

    fn contains(&self, hash: Hash) -> Result<bool, blobs::Error> {
        Ok(self.find(hash).is_some() || self.stored.contains(hash)?)
    }
}

impl Driver {
    /// Makes the values of these turns durable; gives the turns that may be committed, and those that may not.
    pub(super) fn store_values(&mut self, mut flights: Vec<Boxed>) -> (Vec<Boxed>, Vec<Unstored>) {
        let all: Vec<&NewBlob> = flights.iter().flat_map(|flight| &flight.blobs).collect();
        if all.is_empty() || self.blobs.put_all(&all).is_ok() {
            flights.iter_mut().for_each(|flight| flight.blobs.clear());
            return (flights, Vec::new());
        }
        // Whose value is it? The later turns of the same execution build on the one that cannot be.
        let mut broken: HashMap<LocalId, Arc<blobs::Error>> = HashMap::new();
        let (mut good, mut bad) = (Vec::with_capacity(flights.len()), Vec::new());
        for mut flight in flights {
            let blobs = std::mem::take(&mut flight.blobs);
            if let Err(error) = blobs.iter().try_for_each(|blob| self.blobs.put(blob)) {
                broken.entry(flight.local).or_insert_with(|| Arc::new(error));
            }
            match broken.get(&flight.local).filter(|_| flight.has_summary()) {
                Some(error) => bad.push((flight, Arc::clone(error))),
                None => good.push(flight),
            }
        }
        (good, bad)
    }

    /// A value of the turn could not be written: the turn is as good as not decided. Called when the turns before it
    /// are with the writer, because the execution is folded again after them.
    pub(super) fn not_storable(&mut self, (flight, error): Unstored) {
        tracing::error!(local = flight.local.0, "a value could not be stored: {error}");
        if flight.retry == Some(Message::Recovered) {
            self.unready.lost_recovery(flight.local);
        }
        self.child_lost(flight.local);
        self.starting.forget(flight.local);
        self.restore_breakers(&flight);
        self.refold_when_quiet(flight.local);
        self.try_again(flight.local, flight.retry);
        if let Some(reply) = flight.reply {
            drop(reply.send(Err(Error::Unstored(error))));
        }
    }
}
