//! Asking before anything is changed.

use std::sync::Arc;

use crate::failure::{Failure, Kind};
use crate::operations::apply::Consent;
use crate::output::Console;

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// By a person.
    Person,
    /// By `--yes`.
    Flag,
}

impl Asking {
    /// Without a terminal and without `--yes` there is nobody to ask, which is found out before anything else is done.
    pub(crate) fn from(yes: bool, console: &Console) -> Result<Self, Failure> {
        match (yes, console.is_interactive()) {
            (true, _) => Ok(Self::Flag),
            (false, true) => Ok(Self::Person),
            (false, false) => Err(Failure::usage("there is no terminal to ask on").hint("say --yes to go on without a question")),
        }
    }

    /// Asks a yes-or-no question.
    pub(crate) async fn yes(self, console: &Arc<Console>, question: &str) -> Result<Consent, Failure> {
        self.typed(console, &format!("{question} [y/N] "), |answer| {
            matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
        })
        .await
    }

    /// Asks for a name to be typed.
    pub(crate) async fn name(self, console: &Arc<Console>, question: &str, name: &str) -> Result<Consent, Failure> {
        let name = name.to_owned();
        self.typed(console, question, move |answer| answer.trim() == name).await
    }

    async fn typed(
        self,
        console: &Arc<Console>,
        question: &str,
        is_consent: impl FnOnce(&str) -> bool,
    ) -> Result<Consent, Failure> {
        if self == Self::Flag {
            return Ok(Consent::Given);
        }
        let (asked, question) = (Arc::clone(console), question.to_owned());
        // On a thread of its own, so that the lock is renewed and an interrupt is seen while somebody thinks.
        let answer = tokio::task::spawn_blocking(move || asked.ask(&question)).await;
        let answer = answer.map_err(|e| Failure::new(Kind::Bug, e.to_string()))?;
        Ok(if answer.is_some_and(|answer| is_consent(&answer)) { Consent::Given } else { Consent::Refused })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_clear_answer_is_consent() {
        for (answers, given) in [(&["y"][..], true), (&["YES"], true), (&["no"], false), (&[""], false), (&["yep"], false)] {
            let (console, _) = Console::captured(answers);
            let console = Arc::new(console);
            let asking = Asking::from(false, &console).expect("a person");
            let consent = asking.yes(&console, "Do it?").await.expect("an answer");
            assert_eq!(consent == Consent::Given, given, "{answers:?}");
        }
    }

    #[tokio::test]
    async fn a_name_has_to_be_typed_exactly() {
        for (answer, given) in [("demo", true), (" demo ", true), ("Demo", false), ("dem", false), ("y", false)] {
            let (console, _) = Console::captured(&[answer]);
            let console = Arc::new(console);
            let consent = Asking::Person.name(&console, "Type demo: ", "demo").await.expect("an answer");
            assert_eq!(consent == Consent::Given, given, "{answer}");
        }
    }

    #[test]
    fn without_a_terminal_the_flag_is_named() {
        let (console, _) = Console::captured(&[]);
        let failure = Asking::from(false, &console).expect_err("nobody to ask");
        assert_eq!(failure.kind.exit(), 64);
        assert!(failure.hints[0].contains("--yes"));
        assert_eq!(Asking::from(true, &console), Ok(Asking::Flag));
    }
}
