//! Tables of event sequences and the views that they give.

mod answers;
mod decisions;
mod lifecycle;
mod loops;
mod plans;
mod properties;
mod reruns;
mod retries;
mod undo;
mod waiting;
