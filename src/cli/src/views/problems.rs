//! What is wrong with a file, with carets under the places.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet};
use clusterctl_core::spec::Problem;

use crate::failure::BadFile;
use crate::views::paint::{Paint, one_line, tame};

/// How serious the problems are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// Every problem of the file, in the order that they are in.
pub(crate) fn text(file: &BadFile, severity: Severity, paint: Paint) -> String {
    let renderer = if paint.on { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    let (name, text) = (one_line(&file.name), tame(&file.text));
    // Places are of the text as it was read; a replaced control character may be longer.
    let placed = text.len() == file.text.len();
    let shown: Vec<String> = file
        .problems
        .iter()
        .map(|problem| renderer.render(&[group(&name, &text, placed, severity, problem)]))
        .collect();
    shown.join("\n\n")
}

fn group<'a>(name: &'a str, text: &'a str, placed: bool, severity: Severity, problem: &'a Problem) -> Group<'a> {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = if problem.path.is_empty() {
        tame(&problem.message)
    } else {
        tame(&format!("{}: {}", problem.path, problem.message))
    };
    let mut elements: Vec<Element<'a>> = Vec::new();
    let span = problem.span.filter(|span| {
        placed && span.end <= text.len() && text.is_char_boundary(span.start) && text.is_char_boundary(span.end)
    });
    if let Some(span) = span {
        let range = span.start..span.end.max(span.start);
        let snippet = Snippet::source(text).path(name).annotation(AnnotationKind::Primary.span(range));
        elements.push(snippet.into());
    }
    if let Some(right) = &problem.right {
        elements.push(Level::HELP.message(format!("right would be: {}", tame(right))).into());
    }
    Group::with_title(level.primary_title(title)).elements(elements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use crate::operations::load::Wanted;
    use expect_test::expect;

    fn shown(text: &str) -> String {
        let failure: Failure = Wanted::read("cluster.yaml", text.to_owned()).expect_err("it is wrong");
        assert_eq!(failure.kind.exit(), 65);
        super::text(&failure.file.expect("a file"), Severity::Error, Paint { on: false })
    }

    #[test]
    fn every_problem_has_its_line_and_caret() {
        let text = "apiVersion: clusterctl.dev/v1\nkind: Cluster\nmetadata:\n  name: demo\nspec:\n  cloud: aws\n  kuberntes: 1.36\n  zones: 9\n";
        expect![[r#"
            error: spec.kuberntes: unknown field "kuberntes", did you mean kubernetes?
             --> cluster.yaml:7:3
              |
            7 |   kuberntes: 1.36
              |   ^^^^^^^^^
              |
              = help: right would be: kubernetes

            error: spec.zones: 9 is too large
             --> cluster.yaml:8:10
              |
            8 |   zones: 9
              |          ^
              |
              = help: right would be: a whole number from 1 to 6"#]]
        .assert_eq(&shown(text));
    }

    #[test]
    fn nothing_in_a_file_steers_the_terminal() {
        let text = "apiVersion: clusterctl.dev/v1\nkind: Cluster\nmetadata:\n  name: \"\\u001b[31mred\"\nspec:\n  cloud: \u{7f}\n";
        assert!(!shown(text).contains('\u{1b}') && !shown(text).contains('\u{7f}'));
    }
}
