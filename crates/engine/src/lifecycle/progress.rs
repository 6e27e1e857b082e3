//! Progress: a sign of life. It is for watchers and leaves no event; a stale one is refused.

use skep_model::message::Progress;

use crate::decide::Deciding;
use crate::rejection::Rejection;

pub(super) fn handle(turn: &mut Deciding<'_>, progress: &Progress) -> Result<(), Rejection> {
    super::outcome::outstanding_delivery(turn, &progress.path, &progress.token).map(drop)
}
