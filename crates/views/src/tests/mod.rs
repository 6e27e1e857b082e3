//! Tables of event sequences and the views that they give.

mod answers;
mod lifecycle;
mod loops;
mod plans;
mod properties;
mod reruns;
mod retries;
mod undo;
mod waiting;
