//! Calls that only read.

use serde_json::Value;
use skep_definition::moment;
use skep_model::ids::ExecutionId;
use skep_model::time::Timestamp;
use skep_node::Error;
use skep_node::service::{self, ListQuery, LogRecord, LogStream};

use crate::local::convert::{failure_of, row_of, settled_of};
use crate::local::desk::{Awaited, Desk, Perform};
use crate::wire::{
    Event, Events, Execution, Executions, Failure, Follow, Followed, Interrupted, List, LogCursor, LogLine, LogLines,
    Logs, Replay, Row, Settled, Status,
};

fn or_failure<T>(result: Result<T, Error>) -> Result<T, Failure> {
    result.map_err(|error| failure_of(&error))
}

impl Perform for Status {
    fn perform(&self, desk: &Desk) -> Result<Value, Failure> {
        let mut answer = or_failure(desk.reading().status(&self.execution, self.all_iterations))?;
        if let Desk::Owner(node, _) = desk {
            node.add_slots(&mut answer);
        }
        Ok(answer)
    }
}

impl Perform for Execution {
    fn perform(&self, desk: &Desk) -> Result<Row, Failure> {
        let row = or_failure(desk.reading().row(&self.execution))?;
        Ok(row_of(desk, row))
    }
}

impl Perform for List {
    fn perform(&self, desk: &Desk) -> Result<Executions, Failure> {
        let query = ListQuery {
            statuses: self.statuses.clone(),
            workflow: self.workflow.clone(),
            since: self.since_us.map(Timestamp),
            limit: self.limit,
            cursor: self.cursor.clone(),
            no_children: self.no_children,
        };
        let listing = or_failure(desk.reading().list(&query))?;
        Ok(Executions {
            executions: listing.rows.into_iter().map(|row| row_of(desk, row)).collect(),
            next: listing.next,
        })
    }
}

impl Perform for Interrupted {
    fn perform(&self, desk: &Desk) -> Result<Vec<Row>, Failure> {
        let rows = or_failure(desk.reading().interrupted())?;
        Ok(rows.into_iter().map(|row| row_of(desk, row)).collect())
    }
}

/// What the owner says of it; read before anything else, so that what is read after it is at least as new.
fn settled(desk: &Desk, execution: &str) -> Result<Option<Settled>, Failure> {
    let Desk::Owner(node, _) = desk else { return Ok(None) };
    let summary = or_failure(node.settled(&ExecutionId::new(execution)))?;
    Ok(summary.map(settled_of))
}

impl Perform for Follow {
    fn perform(&self, desk: &Desk) -> Result<Followed, Failure> {
        let settled = settled(desk, &self.execution)?;
        let reading = desk.reading();
        let status = or_failure(reading.row(&self.execution))?.status;
        let turns = or_failure(reading.turns(&self.execution, self.from_seq))?;
        Ok(Followed { turns, settled, status })
    }

    fn awaits(&self, desk: &Desk) -> Option<Awaited> {
        let Desk::Owner(node, _) = desk else { return None };
        // If it cannot be found, the call itself says why.
        let local = node.local_of(&ExecutionId::new(self.execution.as_str())).ok()?;
        Some(Awaited { local, seq: self.from_seq })
    }
}

impl Perform for Logs {
    fn perform(&self, desk: &Desk) -> Result<LogLines, Failure> {
        let reading = desk.reading();
        let status = or_failure(reading.row(&self.execution))?.status;
        let cursor = service::LogCursor { segment: self.cursor.segment, offset_bytes: self.cursor.offset_bytes };
        let page = or_failure(reading.logs(&self.execution, self.step.as_deref(), cursor))?;
        Ok(LogLines {
            lines: page.records.iter().map(line_of).collect(),
            cursor: LogCursor { segment: page.cursor.segment, offset_bytes: page.cursor.offset_bytes },
            at_end: page.at_end,
            status,
        })
    }
}

fn line_of(record: &LogRecord) -> LogLine {
    let stream = match record.stream {
        LogStream::Out => "stdout",
        LogStream::Err => "stderr",
        LogStream::Sys => "skep",
    };
    LogLine {
        at: moment::print(record.at),
        step: record.path.to_string(),
        delivery: record.delivery,
        stream: stream.to_owned(),
        text: record.line.to_text().into_owned(),
    }
}

impl Perform for Replay {
    fn perform(&self, desk: &Desk) -> Result<Events, Failure> {
        let replay = or_failure(desk.reading().replay(&self.execution, self.at))?;
        let events = replay.events.into_iter().map(|event| Event {
            number: event.number,
            seq: event.seq,
            at: moment::print(event.at),
            event: event.event,
            description: event.description,
        });
        Ok(Events { events: events.collect(), state: replay.state })
    }
}
