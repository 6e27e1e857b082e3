//! Level paranoid, as far as it follows from the text: which machines the steps talk to.
//!
//! Only what is written down is listed: a host that an expression or a variable makes is not known. Whether a machine
//! can be reached is asked by `node`; so is everything that follows from a simulation.

use std::collections::BTreeMap;

use serde_json::Value;
use skep_model::problem::{Place, Problem, Severity};
use skep_model::surroundings::Host;

use super::strict::Scripts;
use super::{codes, effects};
use crate::lower::settings::SideWork;
use crate::outline::Outline;
use crate::workflow::{Kind, Workflow};

/// Hosts that one definition may have asked; a longer list is asked so far.
const HOSTS_MAX: usize = 64;
/// What fetches the URLs among its words.
const FETCHERS: [&str; 3] = ["curl", "wget", "http"];

/// The machines that a workflow talks to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(BTreeMap<Host, Talks>);

/// Who talks to it first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Talks {
    place: Option<Place>,
    step: String,
    others: usize,
}

impl Hosts {
    /// Of the `http` actions and of the scripts that fetch URLs.
    pub fn of(workflow: &Workflow) -> Self {
        let outline = Outline::of(workflow);
        let mut hosts = Self::default();
        for entry in &outline.steps {
            if let Kind::Uses { action, with } = &entry.step.kind {
                hosts.of_action(action, with.get("url"), &entry.step.id, || {
                    workflow.places.find(&format!("{}/with/url", entry.pointer))
                });
            }
            if entry.step.rollback.is_none() && !entry.step.later.contains_key("verify") {
                continue;
            }
            for (pointer, side) in effects::sides(workflow, entry) {
                if let SideWork::Uses { action, with } = &side.work {
                    let place = || workflow.places.find(&pointer);
                    hosts.of_action(action, with.get("url"), &entry.step.id, place);
                }
            }
        }
        for script in &Scripts::of(workflow, &outline).0 {
            let calls = script.survey.iter().flat_map(|survey| &survey.invocations);
            for call in calls.filter(|call| call.certain && !call.remote && FETCHERS.contains(&call.name())) {
                for word in &call.skeletons {
                    // What is expanded is missing in a word: then the text does not hold it.
                    if let Some(host) = host_of(word).filter(|_| script.text.contains(word.as_str())) {
                        let place = workflow.places.find(&script.pointer);
                        hosts.add(host, &outline.steps[script.step].step.id, place);
                    }
                }
            }
        }
        hosts
    }

    fn of_action(&mut self, action: &str, url: Option<&Value>, step: &str, place: impl Fn() -> Option<Place>) {
        if action == "http"
            && let Some(host) = url.and_then(Value::as_str).and_then(host_of)
        {
            self.add(host, step, place());
        }
    }

    fn add(&mut self, host: Host, step: &str, place: Option<Place>) {
        if self.0.len() >= HOSTS_MAX && !self.0.contains_key(&host) {
            return;
        }
        let entry = self.0.entry(host).and_modify(|talks| talks.others += usize::from(talks.step != step));
        entry.or_insert(Talks { place, step: step.to_owned(), others: 0 });
    }

    /// Those to ask.
    pub fn list(&self) -> Vec<Host> {
        self.0.keys().cloned().collect()
    }

    /// What there is to say about those that cannot be reached.
    pub fn unreachable(&self, hosts: &[Host]) -> Vec<Problem> {
        let found = hosts.iter().filter_map(|host| Some((host, self.0.get(host)?)));
        let problems = found.map(|(host, talks)| {
            let who = match talks.others {
                0 => format!("`{}` talks to it", talks.step),
                others => format!("`{}` and {others} more talk to it", talks.step),
            };
            Problem {
                code: codes::HOST_UNREACHABLE.id,
                severity: Severity::Warning,
                message: format!("{host} cannot be reached from this machine: {who}"),
                place: talks.place,
                hint: Some("check the name, the port, and whether it may be reached from here".to_owned()),
            }
        });
        problems.collect()
    }
}

/// The host and port of a URL whose beginning is written down.
fn host_of(url: &str) -> Option<Host> {
    let (rest, usual) = match url.split_once("://")? {
        ("http", rest) => (rest, 80),
        ("https", rest) => (rest, 443),
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if authority.contains(['$', '{', '}', ' ', '%', '\\']) {
        return None;
    }
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']')?;
            (name, port.strip_prefix(':'))
        }
        None => authority.rsplit_once(':').map_or((authority, None), |(name, port)| (name, Some(port))),
    };
    let port = port.map_or(Some(usual), |port| port.parse().ok())?;
    (!name.is_empty()).then(|| Host { name: name.to_ascii_lowercase(), port })
}

/// Where each step stands, by its id.
pub fn places_of_steps(workflow: &Workflow) -> BTreeMap<String, Place> {
    let outline = Outline::of(workflow);
    let places = outline.steps.iter().filter_map(|entry| {
        let place = workflow.places.find(&format!("{}/id", entry.pointer));
        Some((entry.step.id.clone(), place.or_else(|| workflow.places.find(&entry.pointer))?))
    });
    places.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(steps: &str) -> Vec<String> {
        let text = format!("name: x\ndescription: x\nsteps:\n{steps}\n");
        let workflow = crate::load::load(&text).workflow.expect("it can be read");
        Hosts::of(&workflow).list().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn hosts_that_are_written_down_are_found() {
        for (step, expect) in [
            ("uses: http, with: {url: 'https://Example.org/a?b'}", &["example.org:443"][..]),
            ("uses: http, with: {url: 'http://u:p@example.org:8080'}", &["example.org:8080"]),
            ("uses: http, with: {url: 'http://[::1]:81/'}", &["[::1]:81"]),
            ("uses: http, with: {url: 'https://example.org/${{ index }}'}", &["example.org:443"]),
            ("uses: http, with: {url: 'https://${{ inputs.h }}/x'}", &[]),
            ("uses: log, with: {message: 'https://example.org'}", &[]),
            ("run: 'curl -fsS https://example.org/x | tar x'", &["example.org:443"]),
            ("run: 'curl \"https://web$N.example.org/\"'", &[]),
            ("run: 'curl \"https://$HOST/\"'", &[]),
            ("run: 'echo https://example.org'", &[]),
            ("run: 'ssh web curl https://example.org'", &[]),
            ("run: 'true', rollback: {uses: http, with: {url: 'http://undo.example.org'}}", &["undo.example.org:80"]),
        ] {
            assert_eq!(hosts(&format!("  - {{id: a, {step}}}")), expect, "{step}");
        }
    }
}
