//! What is said on the way, one line each.

use crate::operations::Notice;
use crate::views::paint::one_line;
use crate::views::{count, span};

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
        Notice::Again { what, error, wait } => one_line(&format!("Asking for {what} again in {}: {error}", span(wait))),
        Notice::Verifying => "Looking again whether everything is as planned ...".to_owned(),
        Notice::Sweeping => "Removing what the machines made by themselves ...".to_owned(),
        Notice::StillThere { resources } => format!("Still seen: {}; looking again", count(resources, "resource")),
    }
}
