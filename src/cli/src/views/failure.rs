//! A failure, for people and for programs.

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::views::data::document;
use crate::views::paint::{Paint, one_line, tame};
use crate::views::problems::{self, Severity};

/// What is said: details first, the most important line last but the hints.
pub(crate) fn text(failure: &Failure, paint: Paint) -> String {
    let mut text = String::new();
    if let Some(file) = &failure.file {
        text.push_str(&problems::text(file, Severity::Error, paint));
        text.push_str("\n\n");
    }
    for detail in &failure.details {
        text.push_str(&format!("  {}\n", tame(detail)));
    }
    let head = paint.red(&paint.bold(&format!("error[{}]", failure.kind.code())));
    text.push_str(&format!("{head}: {}", tame(&failure.message)));
    for hint in &failure.hints {
        text.push_str(&format!("\n{}: {}", paint.cyan("hint"), tame(hint)));
    }
    text
}

/// The same as data.
pub(crate) fn data(failure: &Failure) -> Value {
    let problems = failure.file.as_ref().map(|file| json!({ "file": file.name, "problems": file.problems }));
    document(
        "Error",
        json!({
            "error": {
                "code": failure.kind.code(),
                "exitCode": failure.kind.exit(),
                "retryable": failure.kind.is_retryable(),
                "message": failure.message,
                "details": failure.details,
                "hints": failure.hints,
                "problems": problems,
            },
        }),
    )
}

/// A line that GitHub shows at the top of the run, and at the place in the file where there is one.
pub(crate) fn annotation(failure: &Failure) -> String {
    let escaped = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let first = failure.file.as_ref().and_then(|file| Some((file.name.as_str(), file.problems.first()?)));
    let (place, message) = match first {
        Some((name, problem)) => {
            let name = escaped(&one_line(name)).replace(':', "%3A").replace(',', "%2C");
            let span = problem.span.map(|span| format!(",line={},col={}", span.line, span.column)).unwrap_or_default();
            (format!(" file={name}{span}"), problem.to_string())
        }
        None => (String::new(), failure.message.clone()),
    };
    format!("::error{place}::{}", escaped(&tame(&message)))
}
