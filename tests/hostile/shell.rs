//! The assignments at the head of a node's script, read the way a POSIX shell reads words.
//!
//! Strict: only single quotes and a quote behind a backslash are words here. Anything that a shell could evaluate,
//! a bare character included, is an error, so that a value which left its quotes cannot pass for another one.

/// A name and its value.
pub(super) type Variable = (String, String);

/// The variables in order, and what stands behind them: the body of the script.
pub(super) fn head(script: &str) -> Result<(Vec<Variable>, &str), String> {
    let rest = script.strip_prefix("#!/bin/bash\n").ok_or("does not begin with its shebang")?;
    let mut rest = rest;
    let mut variables: Vec<Variable> = Vec::new();
    loop {
        if let Some(comment) = rest.strip_prefix("# ") {
            rest = comment.split_once('\n').ok_or("ends in a comment")?.1;
            continue;
        }
        let Some((name, after)) = rest.split_once('=').filter(|(name, _)| is_name(name)) else { break };
        let (value, after) = word(after).map_err(|what| format!("{name}: {what}"))?;
        if variables.iter().any(|(known, _)| known == name) {
            return Err(format!("{name} is assigned twice"));
        }
        variables.push((name.to_owned(), value));
        rest = after;
    }
    if variables.is_empty() { Err("assigns nothing".to_owned()) } else { Ok((variables, rest)) }
}

fn is_name(name: &str) -> bool {
    name.strip_prefix("CCTL_").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
}

/// One word up to the end of its line, and what follows that.
fn word(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        if let Some(after) = rest.strip_prefix('\n') {
            return Ok((value, after));
        } else if let Some(quoted) = rest.strip_prefix('\'') {
            let (inside, after) = quoted.split_once('\'').ok_or("an open quote")?;
            value.push_str(inside);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("\\'") {
            value.push('\'');
            rest = after;
        } else {
            return Err(format!("{:?} outside of quotes", rest.chars().take(20).collect::<String>()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_left_its_quotes_is_an_error() {
        let (variables, rest) = head("#!/bin/bash\n# a\nCCTL_A='it'\\''s\n$(id)'\nCCTL_B=''\nf() {\n").expect("a head");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(variables, [pair("CCTL_A", "it's\n$(id)"), pair("CCTL_B", "")]);
        assert_eq!(rest, "f() {\n");
        for wrong in ["a", "'a'b", "'a' b", "\"a\"", "'a", "$(id)", "'a'\\b"] {
            assert!(head(&format!("#!/bin/bash\nCCTL_A={wrong}\n")).is_err(), "{wrong}");
        }
    }
}
