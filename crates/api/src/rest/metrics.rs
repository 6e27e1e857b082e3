//! `GET /metrics`, for Prometheus.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use skep_node::clock;
use skep_node::service::Statistics;

use super::answer::{Answer, Refusal};
use super::asked::Asked;

/// The content type of what [`encode`] writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    status: &'static str,
}

/// What the executions in the store came to, and what this process takes.
pub async fn metrics(asked: Asked) -> Result<Answer, Refusal> {
    asked.check(None)?;
    let (statistics, workflows) = asked
        .look(|desk| {
            let reading = desk.reading();
            Ok((reading.statistics(clock::now())?, reading.workflows()?.len()))
        })
        .await?;
    let mut text = String::new();
    encode(&mut text, &registry(&statistics, workflows)).map_err(|error| {
        tracing::error!("the metrics could not be written: {error}");
        Refusal::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be written")
    })?;
    Ok(Answer::text(OPEN_METRICS, text))
}

fn registry(statistics: &Statistics, workflows: usize) -> Registry {
    let mut registry = Registry::default();
    registry.register("skep_build", "The version that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    let by_status = Family::<State, Gauge>::default();
    for (status, count) in &statistics.by_status {
        by_status.get_or_create(&State { status }).set(number(*count));
    }
    registry.register("skep_executions", "Executions in the store, by state", by_status);
    let mut figure = |name: &str, help: &str, value: u64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(number(value));
        registry.register(name, help, gauge);
    };
    figure("skep_executions_open", "Executions that are not over", statistics.active);
    figure("skep_executions_last_day", "Executions accepted within 24 hours", statistics.recent);
    figure("skep_workflows", "Workflows of the library", workflows as u64);
    if let Some(bytes) = resident_bytes() {
        figure("process_resident_memory_bytes", "Memory of this process", bytes);
    }
    if let Some(count) = open_files() {
        figure("process_open_fds", "Open files of this process", count);
    }
    registry
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

fn open_files() -> Option<u64> {
    std::fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as u64)
}
