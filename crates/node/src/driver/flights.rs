//! What is with the writer, by ticket: tickets grow by one, and answers come nearly in their order.

use std::collections::VecDeque;

use super::flight::Flight;

/// Flights between their submission and their answer.
#[derive(Default)]
pub(super) struct Flights {
    /// From `first` on; `None` once it was answered.
    flights: VecDeque<Option<Box<Flight>>>,
    first: u64,
    count: usize,
}

impl Flights {
    /// Takes a flight and gives its ticket.
    pub fn add(&mut self, flight: Box<Flight>) -> u64 {
        self.flights.push_back(Some(flight));
        self.count += 1;
        self.first + self.flights.len() as u64 - 1
    }

    /// The ticket of the next one.
    pub fn next_ticket(&self) -> u64 {
        self.first + self.flights.len() as u64
    }

    pub fn remove(&mut self, ticket: u64) -> Option<Box<Flight>> {
        let at = usize::try_from(ticket.checked_sub(self.first)?).ok()?;
        let flight = self.flights.get_mut(at)?.take()?;
        self.count -= 1;
        while let Some(None) = self.flights.front() {
            self.flights.pop_front();
            self.first += 1;
        }
        Some(flight)
    }

    /// In the order of their submission.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Flight> {
        self.flights.iter().flatten().map(Box::as_ref)
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn clear(&mut self) {
        self.first = self.next_ticket();
        self.flights.clear();
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_once_by_its_ticket() {
        let mut flights = Flights::default();
        let tickets: Vec<u64> = (0..5).map(|_| flights.add(Box::new(Flight::of_rows(Vec::new())))).collect();
        assert_eq!((tickets.as_slice(), flights.next_ticket()), ([0, 1, 2, 3, 4].as_slice(), 5));
        for ticket in [1, 0, 3] {
            assert!(flights.remove(ticket).is_some());
            assert!(flights.remove(ticket).is_none());
        }
        assert_eq!((flights.iter().count(), flights.is_empty()), (2, false));
        assert!(flights.remove(2).is_some() && flights.remove(9).is_none());
        flights.clear();
        assert!(flights.is_empty() && flights.remove(4).is_none());
        assert_eq!(flights.add(Box::new(Flight::of_rows(Vec::new()))), 5);
        assert!(flights.remove(5).is_some() && flights.is_empty());
    }
}
