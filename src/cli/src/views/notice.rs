//! What is said on the way, one line each.

use crate::operations::Notice;
use crate::views::paint::one_line;
use crate::views::{count, span};

/// Said before anything else, so that nobody takes what follows for real.
pub(crate) const SIMULATED: &str = "Simulated: a cloud in this process; no account is used and nothing costs anything.";

pub(crate) fn text(notice: Notice<'_>) -> String {
    match notice {
        Notice::Connecting { cloud } => format!("Connecting to {cloud} ..."),
        Notice::WaitingForLock { holder, expires_in, patience } => one_line(&format!(
            "Waiting for {holder} (`{}`), at most {}; its lock can be taken over in {} unless it renews it",
            holder.command,
            span(patience),
            span(expires_in)
        )),
        Notice::Settling { unanswered, wait } => format!(
            "An earlier run ended with {} unanswered; waiting {} until what they made would be visible",
            count(unanswered, "call"),
            span(wait)
        ),
        Notice::Observing { kinds } => format!("Looking at what is there ({}) ...", count(kinds, "kind")),
        Notice::Unseen { resources, wait } => format!(
            "{} on record and not seen: lists can be behind; looking again in {}",
            count(resources, "resource"),
            span(wait)
        ),
        Notice::Doubtful { wait } => {
            format!("A create that was never answered was repeated; waiting {} until a twin would be seen", span(wait))
        }
        Notice::Again { what, error, wait } => one_line(&format!("Asking for {what} again in {}: {error}", span(wait))),
        Notice::Verifying => "Looking again whether everything is as planned ...".to_owned(),
        Notice::Sweeping => "Removing what the machines made by themselves ...".to_owned(),
        Notice::StillThere { resources } => format!("Still seen: {}; looking again", count(resources, "resource")),
        Notice::TimelineNotKept { why } => one_line(&format!("The timeline of this run could not be recorded: {why}")),
        Notice::TimelineUnreadable { why } => one_line(&format!("The recorded timeline cannot be read: {why}")),
    }
}
